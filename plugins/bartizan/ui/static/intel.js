// The question of the DAG `respond` that belongs to the plan on the page, and its answer.
import { airflow, element, write } from "./airflow.js";

const ENDED = new Set(["success", "failed"]);
const POLL_MS = 2000;
const form = document.querySelector("form[data-plan]");
const outcome = document.querySelector("[data-outcome]");

function say(text, kind = "informational") {
  outcome.className = `outcome notice ${kind}`;
  outcome.replaceChildren(element("p", text));
}

/** The run that asks about this plan and no other: the text of its question begins with the id. */
async function asking() {
  const open = "dags/respond/dagRuns/~/hitlDetails?response_received=false&state=awaiting_input";
  const { hitl_details: questions } = await airflow("GET", open);
  const first = `\`\`\`\nplan ${form.dataset.plan} `;
  return questions.find((one) => one.body?.startsWith(first))?.task_instance.dag_run_id;
}

async function watch({ dag_id: dagId, run_id: runId }) {
  const path = `dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`;
  for (;;) {
    const run = await airflow("GET", path);
    if (ENDED.has(run.state)) return run.state;
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

async function answer(runId, option) {
  say("Answering …");
  try {
    const given = await write(`intel/plans/${form.dataset.plan}/answer`, { option, run_id: runId });
    await airflow(given.call.method, given.call.path, given.call.body);
    form.hidden = true;
    say(`Airflow has the answer: ${option}. The run goes on …`);
    const state = await watch(given);
    say(`The run ended: ${state}.`, state === "success" ? "good" : "bad");
    outcome.append(element("a", "Show what became of it", { href: location.href }));
  } catch (error) {
    say(`It was not done: ${error.message}`, "bad");
  }
}

try {
  const runId = await asking();
  form.hidden = !runId;
  outcome.hidden = Boolean(runId);
  if (!runId) say("No run asks about this plan: it was made by a command, or is answered.");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    outcome.hidden = false;
    answer(runId, event.submitter.value);
  });
} catch (error) {
  say(`Airflow could not be asked: ${error.message}`, "bad");
}

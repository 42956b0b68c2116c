// Forms that ask for a run: noted by us, started by Airflow, watched until it ends.
import { airflow, element, write } from "./airflow.js";

const ENDED = new Set(["success", "failed"]);
const POLL_MS = 2000;

function asked(form) {
  const data = new FormData(form);
  if (!data.has("start")) return undefined;
  return {
    start: `${data.get("start")}:00Z`,
    end: `${data.get("end")}:00Z`,
    dry_run: data.has("dry_run"),
    backtest: data.has("backtest"),
  };
}

function say(outcome, text, kind = "") {
  outcome.hidden = false;
  outcome.className = `outcome notice ${kind}`;
  outcome.replaceChildren(element("p", text));
}

async function watch(outcome, text, dagId, runId) {
  const path = `dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`;
  let said = "";
  for (;;) {
    const run = await airflow("GET", path);
    const { task_instances: tasks } = await airflow("GET", `${path}/taskInstances`);
    const states = tasks.map((task) => `${task.task_id}: ${task.state ?? "waits"}`);
    // Screen readers read what is put there: only what is new.
    const news = [run.state, ...states].join();
    if (news !== said) {
      const kind = { success: "good", failed: "bad" }[run.state] ?? "informational";
      say(outcome, `${text}: ${run.state}`, kind);
      const list = element("ul");
      list.append(...states.map((state) => element("li", state)));
      outcome.append(list);
      said = news;
    }
    if (ENDED.has(run.state)) return counted(outcome, path);
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

/** What the run says that it wrote, or would have. */
async function counted(outcome, path) {
  const entry = `${path}/taskInstances/write_history/xcomEntries/return_value?map_index=-1`;
  const found = await airflow("GET", entry).catch(() => null);
  for (const one of found?.value ?? []) {
    const rows = one.rows.toLocaleString("en");
    const chunks = `${one.chunks} chunks, ${one.kept} of them there already, ${one.written} written`;
    outcome.append(element("p", `${chunks}; ${rows} rows.`));
  }
}

async function ask(form) {
  const outcome = (form.closest("details") ?? document).querySelector(".outcome");
  say(outcome, "Asking …");
  try {
    const plan = await write(`detectors/${form.dataset.ask}`, asked(form));
    for (const call of plan.calls) await airflow(call.method, call.path, call.body);
    if (plan.run_id) await watch(outcome, plan.text, plan.dag_id, plan.run_id);
    else say(outcome, plan.text, "good");
  } catch (error) {
    say(outcome, `It was not done: ${error.message}`, "bad");
  }
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    await ask(form);
    button.disabled = false;
  });
}

// The last run of each of Bartizan's DAGs, which only Airflow knows.
import { airflow, element } from "./airflow.js";

const MOST = 100;

function row(run) {
  const line = element("tr");
  const kind = { success: "good", failed: "bad" }[run.state] ?? "warn";
  line.append(
    element("th", run.dag_id, { scope: "row", class: "step" }),
    element("td", run.state, { class: kind }),
    element("td", (run.end_date ?? run.start_date ?? "").slice(0, 16).replace("T", " "), { class: "nowrap" }),
  );
  return line;
}

async function show(place) {
  const { dags } = await airflow("GET", `dags?tags=bartizan&limit=${MOST}`);
  const known = new Set(dags.map((dag) => dag.dag_id));
  const { dag_runs: runs } = await airflow("GET", `dags/~/dagRuns?order_by=-start_date&limit=${MOST}`);
  const last = new Map();
  for (const run of runs) if (known.has(run.dag_id) && !last.has(run.dag_id)) last.set(run.dag_id, run);
  if (!last.size) return;
  const head = element("tr");
  for (const name of ["DAG", "Last run", "Ended (UTC)"]) head.append(element("th", name, { scope: "col" }));
  const table = element("table");
  table.append(element("thead"), element("tbody"));
  table.tHead.append(head);
  table.tBodies[0].append(...[...last.values()].map(row));
  place.append(table);
  place.hidden = false;
}

const place = document.querySelector("[data-runs]");
show(place).catch((error) => {
  place.append(element("p", `Airflow does not say: ${error.message}`, { class: "muted" }));
  place.hidden = false;
});

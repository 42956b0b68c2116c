// Says when the open stories are no longer those that the page shows; it never changes under a reader.
import { read } from "./airflow.js";

const POLL_MS = 60_000;

async function stories() {
  const now = await read("now");
  return JSON.stringify(now.stories.map((one) => [one.story, one.severity, one.incidents, one.standing]));
}

const notice = document.querySelector("[data-news]");
let shown;

async function look() {
  const found = await stories().catch(() => shown);
  shown ??= found;
  notice.hidden = found === shown;
}

look();
setInterval(() => document.hidden || look(), POLL_MS);
document.addEventListener("visibilitychange", () => document.hidden || look());

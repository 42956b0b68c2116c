// Calls of our own API and of Airflow's, both as the person who is signed in.

async function answered(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const detail = typeof body.detail === "string" ? body.detail : JSON.stringify(body.detail ?? "");
  throw new Error([detail || `HTTP ${response.status}`, body.remedy].filter(Boolean).join(" – "));
}

async function send(url, method, body, headers = {}) {
  return answered(
    await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );
}

/** One call of Airflow's public API; `path` is what follows /api/v2/. */
export function airflow(method, path, body) {
  return send(`../api/v2/${path}`, method, body);
}

export function read(path) {
  return send(`api/v1/${path}`, "GET");
}

/** A change by our own API, with a token of now. */
export async function write(path, body) {
  const me = await read("me");
  return send(`api/v1/${path}`, "POST", body, { [me.header]: me.token });
}

/** An element with text, which is never markup. */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Before anything is drawn: the theme that Airflow shows around the page, else the system's.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is shut off: the system's theme holds.
}

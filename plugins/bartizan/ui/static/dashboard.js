// What every page does beyond being read: it follows Airflow's theme and shows that it is loading.
const root = document.documentElement;

addEventListener("storage", (event) => {
  if (event.key === "theme") root.dataset.theme = event.newValue ?? "";
});

function loading() {
  root.dataset.busy = "true";
}

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) loading();
});
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  const stays = !link || link.getAttribute("href").startsWith("#") || link.hasAttribute("download");
  const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (!stays && !event.defaultPrevented && !elsewhere) loading();
});
addEventListener("pageshow", () => delete root.dataset.busy);

// On a phone the navigation is wider than the page. (scrollIntoView would move where Tab starts.)
const views = document.querySelector(".bar nav");
const current = views?.querySelector("[aria-current]");
if (current) views.scrollLeft += Math.max(current.getBoundingClientRect().right - views.getBoundingClientRect().right, 0);

// The chart of a series, to read values from and to zoom into; without script the page has its own.
import { read } from "./airflow.js";
import uPlot from "./vendor/uplot/uPlot.esm.js";

const HEIGHT = 340;
const NUMBER = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });

const MOMENTS = new Map([["deploys", "link"], ["blocks", "good"]]); // marks, and their colours

const place = document.querySelector("[data-source]");
if (place) {
  read(place.dataset.source)
    .then((found) => draw(place, found))
    .catch(() => {}); // the drawing of the page stays
}

/** A colour of the page's style as the canvas needs it, in the theme of the moment. */
function colour(name) {
  place.style.color = `var(--${name})`;
  const found = getComputedStyle(place).color;
  place.style.color = "";
  return found;
}

/** `16 Nov` for days, `14:00` within one. */
function moment(seconds, step) {
  const time = new Date(seconds * 1000).toUTCString();
  return step >= 86400 || seconds % 86400 === 0 ? time.slice(5, 11) : time.slice(17, 22);
}

function draw(parent, found) {
  const points = found.points;
  const seconds = (time) => Date.parse(time) / 1000;
  const column = (name) => points.map((one) => one[name]);
  const names = [...(found.is_one ? ["upper", "lower"] : []), "before", "expected", "value"];
  // One time more, so that the last interval is seen to its end.
  const starts = points.map((one) => seconds(one.at));
  const times = [...starts, 2 * starts.at(-1) - (starts.at(-2) ?? starts.at(-1) - 3600)];
  const data = [times, ...names.map((name) => [...column(name), null])];
  const said = (_, value) => (value === null ? "–" : NUMBER.format(value));
  const line = (label, name, more = {}) => ({
    label,
    value: said,
    stroke: () => colour(name),
    width: 1.4,
    points: { show: false },
    ...more,
  });
  const hours = (_, ticks, __, ___, step) => ticks.map((one) => moment(one, step));
  const axis = { stroke: () => colour("muted"), grid: { stroke: () => colour("rule"), width: 1 }, ticks: { show: false } };
  const options = {
    width: parent.clientWidth,
    height: HEIGHT,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    scales: { y: { range: (_, low, high) => uPlot.rangeNum(Math.min(low ?? 0, 0), high ?? 1, 0.08, true) } },
    axes: [{ ...axis, values: hours }, { ...axis, size: 64, values: (_, ticks) => ticks.map((one) => NUMBER.format(one)) }],
    legend: { markers: { show: false } },
    series: [
      { label: "Time (UTC)", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
      ...(found.is_one ? [line("Range to", "band", { width: 0 }), line("Range from", "band", { width: 0 })] : []),
      line("A week before", "muted", { dash: [2, 4], width: 1 }),
      line("Expected", "expected", { dash: [5, 3] }),
      line("Observed", "ink"),
    ],
    bands: found.is_one ? [{ series: [1, 2], fill: () => colour("band") }] : [],
    hooks: {
      drawClear: [
        (plot) => {
          plot.ctx.fillStyle = colour("window");
          for (const span of found.spans) {
            const left = plot.valToPos(seconds(span.start), "x", true);
            const right = plot.valToPos(seconds(span.end), "x", true);
            const { left: from, width, top, height } = plot.bbox;
            const start = Math.max(left, from);
            const end = Math.min(Math.max(right, left + 2), from + width);
            if (end > start) plot.ctx.fillRect(start, top, end - start, height);
          }
        },
      ],
      draw: [
        (plot) => {
          const { left: from, width, top, height } = plot.bbox;
          for (const one of found.marks) {
            const left = Math.max(plot.valToPos(seconds(one.window.start), "x", true), from);
            const right = Math.min(plot.valToPos(seconds(one.window.end), "x", true), from + width);
            if (right <= left) continue;
            const moment = MOMENTS.has(one.kind);
            plot.ctx.fillStyle = colour(moment ? MOMENTS.get(one.kind) : "muted");
            if (moment) plot.ctx.fillRect(left, top, 1.5 * devicePixelRatio, height);
            else plot.ctx.fillRect(left, top + height, Math.max(right - left, 2), 4 * devicePixelRatio);
          }
        },
        (plot) => {
          plot.ctx.fillStyle = colour("accent");
          for (const [index, one] of points.entries()) {
            if (one.value === null || !((one.severity ?? 0) >= found.threshold || one.reason === "continues")) continue;
            const x = plot.valToPos(data[0][index], "x", true);
            if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
            plot.ctx.beginPath();
            plot.ctx.arc(x, plot.valToPos(one.value, "y", true), 3.5 * devicePixelRatio, 0, 2 * Math.PI);
            plot.ctx.fill();
          }
        },
      ],
    },
  };
  const drawn = parent.querySelector("svg");
  const plot = new uPlot(options, data, parent);
  drawn.remove();
  new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height: HEIGHT })).observe(parent);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
  addEventListener("storage", () => plot.redraw());
}

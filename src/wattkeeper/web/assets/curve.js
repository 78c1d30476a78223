// The power curve of a session, drawn from the table of its readings: one truth, shown twice.
import uPlot from "uplot";

const GAP_S = 20 * 60;
const language = document.documentElement.lang;

// A figure with so many places, as the page's language writes it.
const figure = (value, places) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places, useGrouping: false }).format(value);
const plain = (value) => new Intl.NumberFormat(language, { useGrouping: false }).format(value);

function numbers(drawn) {
  const at = [];
  const kw = [];
  const kwh = [];
  let last = null;
  for (const row of drawn.querySelectorAll("tr[data-at]")) {
    const time = Number(row.dataset.at);
    if (last !== null && time - last > GAP_S) {
      at.push(last + 1);
      kw.push(null);
      kwh.push(null);
    }
    at.push(time);
    kw.push(row.dataset.kw ? Number(row.dataset.kw) : null);
    kwh.push(row.dataset.kwh ? Number(row.dataset.kwh) : null);
    last = time;
  }
  return [at, kw, kwh];
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { flow: of("--flow-bright"), ink: of("--ink"), quiet: of("--ink-2"), line: of("--line"), look: of("--look"), harm: of("--harm"), paper: of("--paper") };
}

// Where findings happened: a line down the curve with the finding's number in the list.
function marks(colour) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${12 * ratio}px "IBM Plex Sans", sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const item of document.querySelectorAll("#findings li[data-at]")) {
      const x = plot.valToPos(Number(item.dataset.at), "x", true);
      if (!(x >= bbox.left - 1 && x <= bbox.left + bbox.width + 1)) continue;
      const y = bbox.top - 11 * ratio;
      ctx.strokeStyle = ctx.fillStyle = item.dataset.weight === "harm" ? colour.harm : item.dataset.weight === "look" ? colour.look : colour.quiet;
      ctx.lineWidth = ratio;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      ctx.arc(x, y, 9 * ratio, 0, 7);
      ctx.fillStyle = colour.paper;
      ctx.fill();
      ctx.stroke();
      ctx.fillStyle = ctx.strokeStyle;
      ctx.fillText(item.dataset.number, x, y + ratio / 2);
    }
    ctx.restore();
  };
}

function readout(drawn) {
  const place = drawn.querySelector(".readout");
  return (plot) => {
    const index = plot.cursor.idx;
    const row = index === null || index === undefined ? null : plot.data[0][index];
    place.hidden = row === null || plot.data[1][index] === null && plot.data[2][index] === null;
    if (place.hidden) return;
    const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: drawn.dataset.zone }).format(row * 1000);
    const [kw, kwh] = [plot.data[1][index], plot.data[2][index]];
    place.textContent = [time, kw === null ? "" : `${figure(kw, 1)} kW`, kwh === null ? "" : `${figure(kwh, 2)} kWh`].filter(Boolean).join("  ·  ");
  };
}

function options(drawn, colour) {
  const axis = { stroke: colour.quiet, font: '12px "IBM Plex Sans", sans-serif', ticks: { show: false } };
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: drawn.dataset.zone });
  const plot = drawn.querySelector(".plot");
  const upTo = (least) => (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.15)];
  return {
    width: plot.clientWidth,
    height: plot.clientHeight,
    padding: [document.querySelector("#findings li[data-at]") ? 24 : 8, 0, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), drawn.dataset.zone),
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: { kW: { range: upTo(0.5) }, kWh: { range: upTo(0.1) } },
    axes: [
      { ...axis, grid: { show: false }, space: 64, values: (_, ticks) => ticks.map((t) => clock.format(t * 1000)) },
      { ...axis, scale: "kW", size: 40, space: 48, grid: { stroke: colour.line, width: 1 }, values: (_, ticks) => ticks.map(plain) },
      { ...axis, scale: "kWh", side: 1, size: 48, space: 48, grid: { show: false }, values: (_, ticks) => ticks.map(plain) },
    ],
    series: [
      {},
      { scale: "kW", stroke: colour.flow, width: 2, fill: `${colour.flow}26`, points: { show: false } },
      { scale: "kWh", stroke: colour.ink, width: 1.25, dash: [5, 3], points: { show: false } },
    ],
    hooks: { draw: [marks(colour)], setCursor: [readout(drawn)] },
  };
}

function start(drawn) {
  const place = drawn.querySelector(".plot");
  let plot = null;
  const draw = () => {
    const data = numbers(drawn);
    place.hidden = data[1].filter((kw) => kw != null).length < 2;
    plot?.destroy();
    plot = place.hidden ? null : new uPlot(options(drawn, colours()), data, place);
  };
  let waiting = 0;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  };
  draw();
  document.fonts.ready.then(soon);
  new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
  document.addEventListener("htmx:oobAfterSwap", soon);
}

for (const drawn of document.querySelectorAll("figure[data-curve]")) start(drawn);

// Draws the figures of app/charts.py when they come into view, in the colours of the page.
const MARGIN = { t: 8, r: 8, b: 8, l: 8 };
const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, showSendToCloud: false };
const PAPER_WIDTH = 680;

const drawn = new Map();
let library;

// Plotly finds its rules in this sheet and writes none of its own, which the policy would refuse.
function loadStyles(address) {
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
  sheet.id = "plotly.js-style-global";
  sheet.className = "no-inline-styles";
  return arrival(sheet);
}

function arrival(element) {
  return new Promise((resolve, reject) => {
    element.addEventListener("load", resolve);
    element.addEventListener("error", () => reject(new Error("a file of the charts did not arrive")));
    document.head.append(element);
  });
}

function load({ library: address, styles }) {
  library ??= Promise.all([
    loadStyles(styles), arrival(Object.assign(document.createElement("script"), { src: address })),
  ]);
  return library.catch((error) => { library = undefined; throw error; });
}

function dressed({ data, layout }) {
  const tokens = getComputedStyle(document.documentElement);
  const colour = (name) => tokens.getPropertyValue(`--${name}`).trim();
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("text-2") };
  const axis = { automargin: true, color: colour("text-2"), gridcolor: colour("line"), zerolinecolor: colour("line-strong"), fixedrange: true };
  const lines = data.map((trace) => {
    const own = colour(`mark-${((trace.meta - 1) % 11) + 1}`);
    const pattern = trace.marker?.pattern && { ...trace.marker.pattern, fgcolor: colour("surface"), fillmode: "overlay" };
    return { ...trace, line: trace.line && { ...trace.line, color: own, width: 2 }, marker: { ...trace.marker, color: own, ...(pattern && { pattern }) } };
  });
  const whole = {
    ...layout, font, margin: MARGIN, dragmode: false, hovermode: "closest", autosize: true,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line-strong"), font: { ...font, color: colour("text") } },
    xaxis: { ...axis, title: { ...layout.xaxis.title, font }, showgrid: false },
    yaxis: { ...axis, title: { ...layout.yaxis.title, font }, rangemode: "tozero" },
  };
  return [lines, whole, CONFIG];
}

async function draw(figure) {
  const canvas = figure.querySelector(".chart-canvas");
  const content = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  try {
    await load(figure.dataset);
  } catch {
    const words = Object.assign(document.createElement("p"), { className: "chart-failed", textContent: "The drawing could not be loaded. The table below has its numbers." });
    canvas.replaceChildren(words);
    return;
  }
  if (!canvas.isConnected) return;
  canvas.replaceChildren();
  drawn.set(canvas, content);
  await Plotly.react(canvas, ...dressed(content));
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
}, { rootMargin: "200px" });

function forgetRemoved() {
  for (const canvas of drawn.keys()) {
    if (canvas.isConnected) continue;
    Plotly.purge(canvas);
    drawn.delete(canvas);
  }
}

function watch() {
  forgetRemoved();
  for (const figure of document.querySelectorAll("[data-chart]:not([data-watched])")) {
    figure.dataset.watched = "";
    if (figure.querySelector(".chart-canvas")) seen.observe(figure);
  }
}

function redraw() {
  for (const [canvas, content] of drawn) if (canvas.isConnected) Plotly.react(canvas, ...dressed(content));
}

document.addEventListener("htmx:after:swap", watch);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("beforeprint", () => { for (const canvas of drawn.keys()) Plotly.relayout(canvas, { width: PAPER_WIDTH }); });
addEventListener("afterprint", () => { for (const canvas of drawn.keys()) Plotly.relayout(canvas, { width: null, autosize: true }); });
watch();

// The chart of dashboard/ui/charts.py: draws Plotly figures in place and tells what was clicked and selected.

function load(address) {
  const url = new URL(address, document.baseURI).href;
  window.balladPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(url)));
    script.onerror = () => reject(new Error(url));
    document.head.append(script);
  });
  return window.balladPlotly;
}

function place(point) {
  return { trace: point.curveNumber, index: point.pointNumber ?? point.pointIndex };
}

function isDark(element) {
  const background = getComputedStyle(element).getPropertyValue("--st-background-color");
  const [red, green, blue] = background.match(/[0-9a-f]{2}/gi).map((channel) => parseInt(channel, 16));
  return red + green + blue < 3 * 128;
}

function showPicture(chart, { points, event }) {
  const sample = points[0].customdata;
  if (!chart.latest.pictures || sample == null) return;
  chart.picture ??= document.body.appendChild(document.createElement("img"));
  chart.picture.src = new URL(`${chart.latest.pictures}/${sample}`, document.baseURI).href;
  const left = Math.min(event.clientX + 18, window.innerWidth - 140);
  const top = event.clientY > 180 ? event.clientY - 150 : event.clientY + 40;
  chart.picture.style.cssText = `position: fixed; z-index: 1000; pointer-events: none; width: 112px; height: 112px;
    object-fit: contain; border-radius: 6px; background: #8883; left: ${left}px; top: ${top}px`;
}

function hidePicture(chart) {
  chart.picture?.remove();
  chart.picture = null;
}

function chartIn(parent) {
  // Made here and not given as the component's html, which Streamlit can put in anew without calling this again.
  const chart = parent.querySelector(".ballad-chart") ?? parent.appendChild(document.createElement("div"));
  chart.className ||= "ballad-chart";
  chart.style.width = "100%";
  return chart;
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const chart = chartIn(parentElement);
  // Calls overtake each other while scripts load; the last one owns the chart.
  const call = (chart.lastCall = Symbol());
  chart.style.height = `${data.height}px`;
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", data.label);
  chart.latest = data;
  load(data.script).then((Plotly) => {
    if (chart.lastCall !== call || !chart.isConnected) return;
    const figure = JSON.parse(data.figure);
    figure.layout.template = JSON.parse(data.templates)[isDark(chart) ? "dark" : "light"];
    return Plotly.react(chart, figure.data, figure.layout, data.config).then(() => {
      if (chart.balladReady) return;
      chart.balladReady = true;
      chart.on("plotly_click", ({ points }) => setTriggerValue("clicked", place(points[0])));
      const select = (points) => setStateValue("selected", { revision: chart.latest.revision, points });
      chart.on("plotly_selected", (event) => select(event?.points?.map(place) ?? []));
      chart.on("plotly_deselect", () => select([]));
      chart.on("plotly_hover", (event) => showPicture(chart, event));
      chart.on("plotly_unhover", () => hidePicture(chart));
      chart.resizing = new ResizeObserver(() => chart.offsetWidth && Plotly.Plots.resize(chart));
      chart.resizing.observe(parentElement.host ?? parentElement);
    });
  }).catch(() => setStateValue("failed", true));
  return () => {
    // Streamlit also ends a call that another has overtaken: the chart is then in use.
    if (chart.lastCall !== call) return;
    chart.resizing?.disconnect();
    hidePicture(chart);
    window.Plotly?.purge(chart);
    chart.remove();
  };
}

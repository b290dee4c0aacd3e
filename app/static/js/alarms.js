// The tab's icon follows what the page last heard of alarms.
function follow() {
  const told = document.querySelector("[data-alarms]");
  const favicon = document.getElementById("favicon");
  if (!told || !favicon) return;
  const icon = Number(told.dataset.alarms) ? favicon.dataset.alarm : favicon.dataset.calm;
  if (favicon.getAttribute("href") !== icon) favicon.setAttribute("href", icon);
}

document.addEventListener("htmx:after:swap", follow);

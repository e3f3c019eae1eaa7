// What a page has to be for those who read it with a keyboard, a screen reader or poor sight: returns what it is not.
// The rules are those of WCAG 2.2 (A and AA) that a program can look at.
const problems = [];
const say = (rule, element, more = "") => {
  const what = element ? element.outerHTML.replace(/\s+/g, " ").slice(0, 160) : "";
  problems.push(`${rule}${more ? ` (${more})` : ""}: ${what}`);
};
const all = (selector) => [...document.querySelectorAll(selector)];
const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const isForReadersOnly = (element) => element.closest(".sr") !== null;

// --- names ---------------------------------------------------------------------------------------------------------
const textOf = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
const nameOf = (element) => {
  if (element.hasAttribute("aria-labelledby")) return textOf(element.getAttribute("aria-labelledby"));
  if (element.hasAttribute("aria-label")) return element.getAttribute("aria-label").trim();
  if (element.labels?.length) return [...element.labels].map((label) => label.textContent).join(" ").trim();
  if (element.tagName === "IMG") return element.alt.trim();
  return element.textContent.trim();
};

if (document.documentElement.lang !== "en") say("the page names no language");
if (!document.title.trim()) say("the page has no title");
if (!document.querySelector("meta[name=viewport]")) say("the page does not fit small screens");
for (const landmark of ["header", "main", "footer"]) {
  if (all(`body > ${landmark}`).length !== 1) say(`the page has not one ${landmark}`);
}
const navigations = all("nav").map(nameOf);
if (new Set(navigations).size !== navigations.length || navigations.includes("")) say("navigations share a name");
const skip = document.querySelector("body > a");
if (skip?.getAttribute("href") !== "#main") say("the first link does not lead to the content");

for (const element of all("a[href], button, summary, img, input:not([type=hidden]), select, textarea, progress, meter, [role=region], [role=img], nav")) {
  if (!nameOf(element)) say("has no name", element);
}
for (const element of all("svg")) {
  if (element.getAttribute("aria-hidden") !== "true" && element.getAttribute("role") !== "img") say("a drawing is neither named nor hidden", element);
}
for (const element of all("[aria-labelledby], [aria-describedby]")) {
  for (const attribute of ["aria-labelledby", "aria-describedby"]) {
    const ids = (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean);
    if (ids.some((id) => !document.getElementById(id))) say(`${attribute} names nothing`, element);
  }
}
const ids = all("[id]").map((element) => element.id);
for (const id of new Set(ids)) {
  if (ids.filter((other) => other === id).length > 1) say(`the id ${id} is there twice`);
  if (/\s/.test(id)) say(`the id ${id} has a space`);
}

// --- structure -----------------------------------------------------------------------------------------------------
if (all("h1").length !== 1) say("the page has not one heading of the first level");
let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6")) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) say(`a heading skips a level, from ${level}`, heading);
  level = next;
}
for (const table of all("table")) {
  if (!table.caption && !table.closest("[role=region][aria-label]")) say("a table has no caption", table);
  for (const header of table.querySelectorAll("th")) if (!header.scope) say("a header has no scope", header);
  for (const row of table.querySelectorAll("tbody tr")) if (!row.querySelector("th[scope=row]")) say("a row has no header", row);
}
for (const list of all("ul, ol")) {
  if ([...list.children].some((child) => child.tagName !== "LI")) say("a list holds what is no item", list);
}
for (const element of all("dl > :not(dt, dd, div)")) say("a list of facts holds something else", element);
for (const element of all("[tabindex]")) if (element.tabIndex > 0) say("changes the order of the keyboard", element);
for (const element of all("*")) {
  const scrolls = element.scrollWidth > element.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  if (scrolls && isShown(element) && element.tabIndex < 0 && !element.querySelector("a, button, input")) say("scrolls, but not by keyboard", element);
}
if (document.documentElement.scrollWidth > window.innerWidth) {
  say(`the page is ${document.documentElement.scrollWidth} wide in a window of ${window.innerWidth}`);
  for (const element of all("body *")) {
    if (element.getBoundingClientRect().right > window.innerWidth + 1 && !element.closest(".scroll, .chart, pre, .sr, .skip")) say("reaches out", element);
  }
}
for (const element of all("a[href], button, input:not([type=hidden]), select, summary")) {
  const box = element.getBoundingClientRect();
  const isInText = element.tagName === "A" && getComputedStyle(element).display === "inline";
  if (isShown(element) && !isInText && element.type !== "checkbox" && (box.width < 24 || box.height < 24) && !element.matches(".skip")) {
    say(`a target is ${Math.round(box.width)} by ${Math.round(box.height)}`, element);
  }
}

// --- contrast ------------------------------------------------------------------------------------------------------
const parse = (color) => {
  const parts = color.match(/[\d.]+/g).map(Number);
  return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
};
const over = (top, bottom) => top.rgb.map((value, index) => value * top.alpha + bottom[index] * (1 - top.alpha));
const backgroundOf = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
  return layers.reduce((color, layer) => over(layer, color), [255, 255, 255]);
};
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (one, other) => {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const looked = new Set();
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.textContent.trim() || looked.has(element) || !isShown(element) || isForReadersOnly(element)) continue;
  if (element.closest("noscript, title, desc, option, progress, .skip, script, style")) continue;
  looked.add(element);
  const style = getComputedStyle(element);
  const isDrawn = element.closest("svg") !== null;
  const color = parse(isDrawn ? style.fill : style.color);
  let faded = 1;
  for (let at = element; at; at = at.parentElement) faded *= Number(getComputedStyle(at).opacity);
  const back = backgroundOf(isDrawn ? element.closest("svg").parentElement : element);
  const contrast = ratio(over({ rgb: color.rgb, alpha: color.alpha * faded }, back), back);
  const size = parseFloat(style.fontSize);
  const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  if (contrast < least) say(`contrast ${contrast.toFixed(2)}, not ${least}`, element);
}
for (const element of all("input:not([type=hidden]), select, .curve, .chart .axis")) {
  const style = getComputedStyle(element);
  const color = parse(element.closest("svg") ? style.stroke : style.borderTopColor);
  const back = backgroundOf(element.closest("svg")?.parentElement ?? element.parentElement);
  if (isShown(element) && ratio(over(color, back), back) < 3) say("what has to be seen has a contrast below 3", element);
}
return problems;

// What all widgets draw with. Python puts these files together (labkit/jupyter/panel.py): elements.js, then what a widget
// needs, then its own file, as one module.
//
// Every text goes in as textContent, every picture as the address of an <img>: nothing that a machine, a file name or an
// exercise says is ever read as markup. Elements that can have the focus carry data-lm-suppress-shortcuts, so that the
// keys pressed there do not reach the notebook.

// A name that no other widget on the page has (each has its own copy of this module, so a counter would not do).
const unique = (what) => `lk-${what}-${Math.random().toString(36).slice(2)}`;

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && !key.includes("-") && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function focusable(made) {
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  made.addEventListener("keydown", (event) => event.stopPropagation());
  return made;
}

function button(text, action, extra = {}) {
  return focusable(element("button", { type: "button", textContent: text, onclick: action, class: "lk-button", ...extra }));
}

// A little of Markdown, as elements: paragraphs, lists, indented or fenced blocks, `code` and **bold**.
function prose(text) {
  const made = element("div", { class: "lk-prose" });
  let open = null; // the element that the next line may still belong to, and its lines
  const close = () => {
    if (open?.name === "p") made.append(element("p", {}, ...spans(open.lines.join(" "))));
    if (open?.name === "ul") made.append(element("ul", {}, ...open.lines.map((line) => element("li", {}, ...spans(line)))));
    if (open?.name === "pre") made.append(element("pre", {}, element("code", { textContent: open.lines.join("\n").replace(/\s+$/, "") })));
    open = null;
  };
  const into = (name, line) => {
    if (open?.name !== name) {
      close();
      open = { name, lines: [] };
    }
    open.lines.push(line);
  };
  let fenced = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) {
      fenced = !fenced;
      close();
    } else if (fenced) into("pre", line);
    else if (/^ {4}/.test(line) && (open === null || open.name === "pre")) into("pre", line.slice(4));
    else if (!line.trim()) open?.name === "pre" ? open.lines.push("") : close();
    else if (/^[-*] /.test(line)) into("ul", line.slice(2));
    else if (/^\s/.test(line) && open?.name === "ul") open.lines[open.lines.length - 1] += ` ${line.trim()}`;
    else into("p", line.trim());
  }
  close();
  return made;
}

function spans(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) return element("code", { textContent: part.slice(1, -1) });
    if (part.length > 4 && part.startsWith("**")) return element("strong", { textContent: part.slice(2, -2) });
    return document.createTextNode(part);
  });
}

function drawing(heading, picture) {
  const image = picture.src
    ? element("img", { src: picture.src, alt: picture.alt, width: picture.width })
    : element("p", { textContent: picture.alt });
  return [
    element("h4", { textContent: heading }),
    element("div", { class: "lk-image" }, image),
    element("details", {}, focusable(element("summary", { textContent: "The same in words" })), element("pre", { textContent: picture.text })),
  ];
}

const LOST = "The kernel was restarted, so nothing answers here. Run this cell again";

// What a widget says to Python. After a restart of the kernel nobody hears it, and sending throws: then `lost` is told,
// with what of the work is `kept`.
function voice(model, lost, kept = "") {
  const heard = (say) => {
    try {
      Promise.resolve(say()).catch(() => lost(`${LOST}${kept}.`));
    } catch {
      lost(`${LOST}${kept}.`);
    }
  };
  return {
    send: (message) => heard(() => model.send(message)),
    set: (name, value) => { model.set(name, value); heard(() => model.save_changes()); },
  };
}

// Calls each function now and whenever the trait of its name changes; gives back what stops that.
function follow(model, updates) {
  for (const [trait, update] of Object.entries(updates)) {
    model.on(`change:${trait}`, update);
    update();
  }
  return () => {
    for (const [trait, update] of Object.entries(updates)) model.off(`change:${trait}`, update);
  };
}

// A button that can do nothing now stays where the keyboard finds it and says why.
function able(which, can, why) {
  which.setAttribute("aria-disabled", can ? "false" : "true");
  which.title = can ? "" : why;
}

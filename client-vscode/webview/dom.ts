/** Build elements without ever parsing text as HTML. */

type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes (false and undefined leave one out) and children, of which strings are text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const built = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    built.setAttribute(name, value === true ? "" : value);
  }
  built.append(...children);
  return built;
}

export function icon(name: string): HTMLElement {
  return element("span", { class: `codicon codicon-${name}`, "aria-hidden": "true" });
}

/** A button that shows an icon only; its label is its tooltip and what is read aloud. */
export function iconButton(
  name: string,
  label: string,
  testId: string,
  pressed: () => void,
): HTMLButtonElement {
  const attributes = { type: "button", class: "icon-button", title: label, "aria-label": label };
  return pressable(element("button", { ...attributes, "data-testid": testId }, icon(name)), pressed);
}

export function textButton(
  label: string,
  style: "primary" | "secondary" | "link",
  testId: string,
  pressed: () => void,
): HTMLButtonElement {
  return pressable(
    element("button", { type: "button", class: `${style}-button`, "data-testid": testId }, label),
    pressed,
  );
}

function pressable(button: HTMLButtonElement, pressed: () => void): HTMLButtonElement {
  button.addEventListener("click", pressed);
  return button;
}

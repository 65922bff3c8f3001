export const element = <E extends Element = HTMLElement>(selector: string): E => document.querySelector<E>(selector)!

/** What the server has given to this page. */
export function givenData<T>(): T {
  return JSON.parse(element('#data').textContent!)
}

/** Touches the document only where it changes. */
export function write(selector: string, text: string): void {
  const at = element(selector)
  if (at.textContent !== text) at.textContent = text
}

export function show(selector: string, isShown: boolean): void {
  const at = element(selector)
  if (at.hidden === isShown) at.hidden = !isShown
}

const SHOWN_MS = 2000

/** Makes a button copy what `text` says at that moment, and say whether it could. */
export function copyButton(button: HTMLButtonElement, text: () => string): void {
  // Only pages from https or this machine may write to the clipboard.
  button.hidden = navigator.clipboard === undefined
  const label = button.textContent
  button.addEventListener('click', async () => {
    // In somebody else's frame it may be forbidden.
    const isCopied = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false,
    )
    button.textContent = isCopied ? 'Copied' : 'Not allowed'
    setTimeout(() => {
      button.textContent = label
    }, SHOWN_MS)
  })
}

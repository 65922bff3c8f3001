/** The whole page takes what is dropped on it, or pasted into it. */
import { element } from '../../../page-kit/page/browser/elements.js'
import { type Item, itemsOfDrop, itemsOfField } from './items.js'

export interface Drops {
  /** False while nothing can be chosen: then a drop does nothing, and does not lead away from the page either. */
  isOpen(): boolean
  files(items: readonly Item[]): void
  text(text: string): void
  /** Something was dropped that cannot be read. */
  failed(why: string): void
}

export function acceptDrops(on: Drops): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
  const over = (isOver: boolean) => {
    element('#drop-here').hidden = !isOver
  }
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    event.dataTransfer!.dropEffect = on.isOpen() ? 'copy' : 'none'
    over(on.isOpen())
  })
  // It fires for each element that the pointer leaves; with nothing behind it the pointer has left the page.
  document.addEventListener('dragleave', (event) => event.relatedTarget === null && over(false))
  document.addEventListener('drop', (event) => {
    over(false)
    if (!hasFiles(event)) return
    event.preventDefault()
    if (!on.isOpen()) return
    itemsOfDrop(event.dataTransfer!).then(
      (items) => on.files(items),
      (error: unknown) => on.failed(`That cannot be read: ${error instanceof Error ? error.message : error}`),
    )
  })
  document.addEventListener('paste', (event) => on.isOpen() && paste(event, on))
}

function paste(event: ClipboardEvent, on: Drops): void {
  if (event.clipboardData?.files.length) {
    event.preventDefault()
    on.files(itemsOfField(event.clipboardData.files))
    return
  }
  // Within a field it is that field's.
  if ((event.target as Element).closest?.('input, textarea') !== null) return
  const text = event.clipboardData?.getData('text/plain') ?? ''
  if (text !== '') on.text(text)
}

/** The files that are chosen: shown, each with a button that takes it out again. */

import { element, write } from '../../../page-kit/page/browser/elements.js'
import { formatBytes } from '../../../transfer-status/format.js'
import { joined, zipName } from '../bundle-of-files.js'
import type { Item } from './items.js'

/** A page with a line for each file of a large folder would be slow, and nobody reads them. */
const MOST_LINES = 5

export class FileList {
  items: readonly Item[] = []

  /** @param changed the files are others now */
  constructor(readonly changed: () => void) {
    element('#clear').addEventListener('click', () => this.clear())
  }

  add(more: readonly Item[]): void {
    if (more.length > 0) this.#set(joined(this.items, more))
  }

  clear(): void {
    this.#set([])
  }

  get bytes(): number {
    return this.items.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
  }

  #set(items: readonly Item[]): void {
    this.items = items
    this.#show()
    this.changed()
  }

  #show(): void {
    const { items } = this
    const lines = items.slice(0, MOST_LINES).map((each) => this.#line(each))
    element('#files').replaceChildren(...lines)
    element('#files').hidden = items.length === 0
    element('#clear').hidden = items.length < 2
    const hidden = items.length - lines.length
    const all = `${items.length} files, ${formatBytes(this.bytes)}, as ${zipName(items.map(({ path }) => path))}`
    write('#chosen', items.length < 2 ? '' : hidden > 0 ? `and ${hidden} more: ${all}` : all)
  }

  #line(item: Item): HTMLElement {
    const line = document.createElement('li')
    const name = document.createElement('span')
    name.textContent = item.path
    const size = document.createElement('span')
    size.className = 'note'
    size.textContent = item.file === undefined ? 'empty folder' : formatBytes(item.file.size)
    const remove = document.createElement('button')
    remove.type = 'button'
    remove.className = 'remove'
    remove.textContent = '×'
    remove.ariaLabel = `Take out ${item.path}`
    remove.addEventListener('click', () => {
      this.#set(this.items.filter((each) => each !== item))
      element('#file').focus()
    })
    line.append(name, size, remove)
    return line
  }
}

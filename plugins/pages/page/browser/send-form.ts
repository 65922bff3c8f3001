import { element, write } from '../../../page-kit/page/browser/elements.js'
import { isHardToGuess } from '../../guessing.js'
import { inAddress, nameProblem, newName } from '../../name.js'
import { acceptDrops } from './drops.js'
import { FileList } from './file-list.js'
import { type Item, itemsOfField } from './items.js'
import type { Prefill } from './prefill.js'

const MOST_RECEIVERS = 256

/** What shall be sent, as whom, and to how many: the form. */
export class SendForm {
  readonly #form = element<HTMLFormElement>('#form')
  readonly #name = element<HTMLTextAreaElement>('#name')
  readonly #receivers = element<HTMLInputElement>('#receivers')
  readonly #text = element<HTMLTextAreaElement>('#text')
  readonly #options = element<HTMLDetailsElement>('#options')
  readonly #list = new FileList(() => {
    if (this.#list.items.length > 0) this.#setKind('file')
    else this.#show()
    this.filesChanged(this.#list.items)
  })
  #drawn = ''

  /**
   * @param changed something in it is different
   * @param filesChanged other files are chosen
   */
  constructor(
    readonly prefill: Prefill,
    readonly changed: (form: SendForm) => void,
    readonly filesChanged: (items: readonly Item[]) => void,
  ) {
    this.#form.addEventListener('input', () => this.#show())
    for (const id of ['#file', '#folder', '#camera']) {
      const field = element<HTMLInputElement>(id)
      field.addEventListener('change', () => {
        this.#list.add(itemsOfField(field.files ?? []))
        // Otherwise the same file could not be chosen again after it was taken out.
        field.value = ''
      })
    }
    // It has lines only because a random name is longer than one on a phone.
    this.#name.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return
      event.preventDefault()
      this.#form.requestSubmit()
    })
    element('#another').addEventListener('click', () => this.rename())
    acceptDrops({
      isOpen: () => !this.#form.hidden,
      files: (items) => this.#list.add(items),
      text: (text) => this.#setText(text),
      failed: (why) => write('#problem', why),
    })
    this.#fillIn(prefill)
  }

  get kind(): 'file' | 'text' {
    return new FormData(this.#form).get('kind') === 'text' ? 'text' : 'file'
  }

  get name(): string {
    return this.#name.value.replace(/\s*\n\s*/g, '').trim()
  }

  /** As it stands in an address. */
  get path(): string {
    return inAddress(this.name)
  }

  get receivers(): number {
    return this.#receivers.valueAsNumber
  }

  get text(): string {
    return this.#text.value
  }

  get items(): readonly Item[] {
    return this.#list.items
  }

  /** The file as it is, when it is only one and not in a folder. */
  get singleFile(): File | undefined {
    const [only, ...others] = this.items
    return others.length === 0 && only?.path.includes('/') === false ? only.file : undefined
  }

  /** What is missing, as a sentence; the field that it is missing in has the focus then. */
  problem(): string | undefined {
    const found = this.#problem()
    if (found !== undefined && this.#options.contains(found.at)) this.#options.open = true
    found?.at.focus()
    return found?.text
  }

  /** For something else, under another name. */
  clear(): void {
    this.#text.value = ''
    this.#list.clear()
    this.rename()
  }

  rename(): void {
    this.#drawn = newName((numbers) => crypto.getRandomValues(numbers))
    this.#name.value = this.#drawn
    this.#show()
  }

  #fillIn({ name, n, text, mode }: Prefill): void {
    if (n !== '') this.#receivers.value = n
    this.rename()
    if (name !== '') this.#name.value = name
    if (text !== '') this.#setText(text)
    if (mode === 'file' || mode === 'text') this.#setKind(mode)
    this.#show()
  }

  #problem(): { readonly at: HTMLElement; readonly text: string } | undefined {
    const { kind } = this
    if (kind === 'file' && this.items.length === 0) return { at: element('#file'), text: 'Choose a file first.' }
    if (kind === 'text' && this.text === '') return { at: this.#text, text: 'Write some text first.' }
    const name = nameProblem(this.name)
    if (name !== undefined) return { at: this.#name, text: name }
    const isCount = Number.isInteger(this.receivers) && this.receivers >= 1 && this.receivers <= MOST_RECEIVERS
    return isCount ? undefined : { at: this.#receivers, text: `Receivers: 1 to ${MOST_RECEIVERS}.` }
  }

  #setText(text: string): void {
    this.#text.value = text
    this.#setKind('text')
  }

  #setKind(kind: 'file' | 'text'): void {
    element<HTMLInputElement>(`[name="kind"][value="${kind}"]`).checked = true
    this.#show()
  }

  #show(): void {
    const isText = this.kind === 'text'
    element('#drop').hidden = isText
    element('#text-field').hidden = !isText
    const hasFiles = this.items.length > 0
    element('#drop').dataset.chosen = String(hasFiles)
    // One step after the other: there is nothing to name or to send yet.
    this.#form.dataset.ready = String(isText ? this.text !== '' : hasFiles)
    write('label[for="file"]', hasFiles ? 'Add more files' : 'Choose files')
    write('#problem', '')
    this.#showName()
    this.changed(this)
  }

  #showName(): void {
    const isHard = this.name === this.#drawn || isHardToGuess(this.name)
    element('#guess').dataset.hard = String(isHard)
    write('#guess', isHard ? 'Hard to guess' : 'Easy to guess')
    write(
      '#name-note',
      isHard
        ? 'Only who gets the link, or the name, can receive.'
        : 'Anybody who tries this name can receive in place of the one whom you mean.',
    )
    const count = this.receivers > 1 ? ` · ${this.receivers} receivers` : ''
    write('#options-shown', `${this.name || 'no name'}${count}`)
  }
}

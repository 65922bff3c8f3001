import { formatBytes } from '../../../transfer-status/format.js'
import { inAddress, nameProblem, newName } from '../../name.js'
import { element, write } from './document.js'

const MOST_RECEIVERS = 256

/** What shall be sent, as whom, and to how many: the form. */
export class SendForm {
  readonly #form = element<HTMLFormElement>('#form')
  readonly #name = element<HTMLInputElement>('#name')
  readonly #receivers = element<HTMLInputElement>('#receivers')
  readonly #picker = element<HTMLInputElement>('#file')
  readonly #text = element<HTMLTextAreaElement>('#text')
  #file: File | undefined

  constructor(readonly changed: (choice: SendForm) => void) {
    this.#form.addEventListener('input', () => this.#show())
    this.#picker.addEventListener('change', () => this.#choose(this.#picker.files))
    element('#another').addEventListener('click', () => this.rename())
    this.#acceptDrops()
    document.addEventListener('paste', (event) => this.#paste(event))
    this.rename()
  }

  get kind(): 'file' | 'text' {
    return new FormData(this.#form).get('kind') === 'text' ? 'text' : 'file'
  }

  get name(): string {
    return this.#name.value.trim()
  }

  /** As it stands in an address. */
  get path(): string {
    return inAddress(this.name)
  }

  get receivers(): number {
    return this.#receivers.valueAsNumber
  }

  get body(): File | string | undefined {
    return this.kind === 'text' ? this.#text.value : this.#file
  }

  /** What is missing, as a sentence; the field that it is missing in has the focus then. */
  problem(): string | undefined {
    const found = this.#problem()
    found?.at.focus()
    return found?.text
  }

  rename(): void {
    this.#name.value = newName((numbers) => crypto.getRandomValues(numbers))
    this.#show()
  }

  #problem(): { readonly at: HTMLElement; readonly text: string } | undefined {
    if (this.kind === 'file' && this.#file === undefined) return { at: this.#picker, text: 'Choose a file first.' }
    if (this.kind === 'text' && this.#text.value === '') return { at: this.#text, text: 'Write some text first.' }
    const name = nameProblem(this.name)
    if (name !== undefined) return { at: this.#name, text: name }
    const isCount = Number.isInteger(this.receivers) && this.receivers >= 1 && this.receivers <= MOST_RECEIVERS
    return isCount ? undefined : { at: this.#receivers, text: `Receivers: 1 to ${MOST_RECEIVERS}.` }
  }

  #choose(files: FileList | null | undefined): void {
    const file = files?.[0]
    if (file === undefined) return
    this.#file = file
    this.#setKind('file')
  }

  #setKind(kind: 'file' | 'text'): void {
    element<HTMLInputElement>(`[name="kind"][value="${kind}"]`).checked = true
    this.#show()
  }

  #show(): void {
    element('#drop').hidden = this.kind !== 'file'
    element('#text-field').hidden = this.kind !== 'text'
    const file = this.#file
    element('#drop').dataset.chosen = String(file !== undefined)
    write('#chosen', file === undefined ? 'or drop it here, or paste it' : `${file.name} · ${formatBytes(file.size)}`)
    write('label[for="file"]', file === undefined ? 'Choose a file' : 'Choose another')
    write('#problem', '')
    this.changed(this)
  }

  #acceptDrops(): void {
    const over = (event: DragEvent, isOver: boolean) => {
      if (this.#form.hidden || !event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      element('#drop').dataset.over = String(isOver)
    }
    document.addEventListener('dragover', (event) => over(event, true))
    document.addEventListener('dragleave', (event) => over(event, false))
    document.addEventListener('drop', (event) => {
      over(event, false)
      if (!this.#form.hidden) this.#choose(event.dataTransfer?.files)
    })
  }

  #paste(event: ClipboardEvent): void {
    if (this.#form.hidden) return
    if (event.clipboardData?.files.length) {
      event.preventDefault()
      this.#choose(event.clipboardData.files)
      return
    }
    // Within a field it is that field's.
    if ((event.target as Element).closest?.('input, textarea') !== null) return
    const text = event.clipboardData?.getData('text/plain') ?? ''
    if (text === '') return
    this.#text.value = text
    this.#setKind('text')
  }
}

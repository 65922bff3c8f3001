/** Files and folders that somebody has chosen or dropped. */

/** A file, or a folder that is empty. */
export interface Item {
  /** With the folders that it is in: `photos/2026/sea.jpg`. */
  readonly path: string
  /** Undefined for an empty folder. */
  readonly file?: File
}

/** What a field for files has; a field for folders says where in the folder each of them is. */
export function itemsOfField(files: Iterable<File>): Item[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

/** What was dropped, with all that is in its folders. Call it before the event is over: nothing can be read from it afterwards. */
export function itemsOfDrop(data: DataTransfer): Promise<Item[]> {
  const found = [...data.items].filter(({ kind }) => kind === 'file')
  const dropped = found.map((each) => ({ entry: each.webkitGetAsEntry(), file: each.getAsFile() }))
  return Promise.all(
    dropped.map(async ({ entry, file }) => {
      if (entry !== null) return itemsOfEntry(entry)
      return file === null ? [] : itemsOfField([file])
    }),
  ).then((lists) => lists.flat())
}

async function itemsOfEntry(entry: FileSystemEntry): Promise<Item[]> {
  const path = entry.fullPath.replace(/^\//, '')
  if (isFile(entry)) return [{ path, file: await new Promise<File>((done, failed) => entry.file(done, failed)) }]
  const inside: Item[] = []
  for (const each of await entriesOf(entry as FileSystemDirectoryEntry)) inside.push(...(await itemsOfEntry(each)))
  return inside.length === 0 ? [{ path }] : inside
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

/** A reader hands out a hundred at a time, and nothing at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (some.length === 0) return all
    all.push(...some)
  }
}

/** Archives by hand, with anything in their fields: written without the code that is tested. */

export interface RawHeader {
  readonly name?: string | Buffer
  readonly mode?: string
  /** The twelve bytes of the field; a number is written in octal. */
  readonly size?: number | Buffer | string
  readonly mtime?: number | string
  readonly type?: string
  readonly link?: string | Buffer
  readonly magic?: string
  readonly prefix?: string
  /** Added to the right checksum. */
  readonly wrongBy?: number
}

export function rawHeader(fields: RawHeader): Buffer {
  const block = Buffer.alloc(512)
  const put = (value: string | Buffer, at: number, length: number) => Buffer.from(value).copy(block, at, 0, length)
  put(fields.name ?? 'file', 0, 100)
  put(fields.mode ?? '0000644\0', 100, 8)
  put('0000000\0', 108, 8)
  put('0000000\0', 116, 8)
  put(field(fields.size ?? 0), 124, 12)
  put(field(fields.mtime ?? 1_600_000_000), 136, 12)
  put(fields.type ?? '0', 156, 1)
  put(fields.link ?? '', 157, 100)
  put(fields.magic ?? 'ustar\x0000', 257, 8)
  put(fields.prefix ?? '', 345, 155)
  block.fill(' ', 148, 156)
  const sum = block.reduce((all, byte) => all + byte, 0) + (fields.wrongBy ?? 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return block
}

function field(value: number | string | Buffer): string | Buffer {
  return typeof value === 'number' ? `${value.toString(8).padStart(11, '0')}\0` : value
}

/** A content, filled up to whole blocks. */
export function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)])
}

export const END = Buffer.alloc(1024)

/** A file with its content. */
export function rawFile(name: string | Buffer, content = 'content', more: RawHeader = {}): Buffer {
  return Buffer.concat([rawHeader({ name, size: Buffer.byteLength(content), ...more }), padded(content)])
}

export function rawLink(name: string, link: string, type = '2'): Buffer {
  return rawHeader({ name, link, type })
}

/** An extended header with these records. */
export function rawPax(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`)
    let length = rest + 1
    while (rest + String(length).length !== length) length = rest + String(length).length
    return `${length} ${key}=${value}\n`
  })
  return rawMeta(lines.join(''), type)
}

/** A header about the next one, with this body: `x` of PAX, `L` and `K` of GNU. */
export function rawMeta(body: string | Buffer, type: string): Buffer {
  return Buffer.concat([rawHeader({ name: '././@Meta', size: Buffer.byteLength(body), type }), padded(body)])
}

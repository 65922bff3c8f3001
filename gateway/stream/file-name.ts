/** A name that is safe to save under: no path, no control or direction-changing characters, at most 255 characters. */
export function safeFileName(name: string): string {
  const safe = name
    .replace(/^.*[/\\]/s, '')
    // With the flag u, only lone surrogates match.
    .replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd\ud800-\udfff]/gu, '')
    .replace(/^[. ]+/, '')
  const cut = [...safe].slice(0, 255).join('')
  return cut.replace(/[. ]+$/, '') || 'download'
}

/**
 * Decodes a name that a client sent as raw UTF-8, which is Latin-1 text here. Curl does. A name that is not UTF-8 is
 * kept.
 */
export function decodeUtf8(latin1: string): string {
  if (/[^\x00-\xff]/.test(latin1)) return latin1
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(latin1, (each) => each.codePointAt(0)!))
  } catch {
    return latin1
  }
}

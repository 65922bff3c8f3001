import { WrongUsage } from './cli/wrong-usage.js'

/**
 * The address that somebody meant: with a scheme as it is, otherwise a name on the server, if one is given.
 * @param server the value of `--server`, which outranks `PIPEGATE_URL`
 * @throws WrongUsage for a server that is no address
 */
export function onServer(word: string, server: string | undefined, env: NodeJS.ProcessEnv): string {
  const base = server ?? env.PIPEGATE_URL ?? ''
  if (base === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return word
  return `${baseOf(base, server === undefined ? 'PIPEGATE_URL' : '--server')}/${word.replace(/^\//, '')}`
}

/**
 * The address of a server without the slash at its end; `http://` may be left out.
 * @param where it was written
 * @throws WrongUsage
 */
export function baseOf(text: string, where: string): string {
  const written = /^https?:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(written) || /[?#\s]/.test(written)) {
    throw new WrongUsage(`${where}: expected an address such as https://HOST, without a query`)
  }
  return written.replace(/\/+$/, '')
}

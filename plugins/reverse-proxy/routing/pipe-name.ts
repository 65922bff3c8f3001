import { Parameters, Refusal, type RequestView, type Right, readAddress } from '../../../gateway/host/plugin-api.js'

/**
 * The name of the pipe that a request is about, as gateways find it: with the prefix or without, and in one spelling.
 * @param prefix of this gateway, and of those behind it
 * @returns undefined for what this gateway answers itself: reserved names, and what is no name
 */
export function pipeNameOf(path: string, prefix: string): string | undefined {
  const address = readAddress(path, { prefix, bareNames: true })
  return address instanceof Refusal || address.kind !== 'pipe' ? undefined : address.name
}

/** What the gateway behind this one will ask for, where that is not plain from the method. */
export function rightFor({ method, query }: Pick<RequestView, 'method' | 'query'>): Right | undefined {
  if (query === '' || (method !== 'GET' && method !== 'HEAD')) return undefined
  const parameters = new Parameters(query)
  const isOn = (name: string) => !/^(0|false|no)$/i.test(parameters.get(name) ?? 'no')
  if (isOn('link')) return parameters.get('link') === 'receive' ? 'receive' : 'watch'
  return isOn('progress') || isOn('status') ? 'watch' : undefined
}

/** Which source outranks which. */

import t from 'tap'
import { type FlagValues, loadConfigWithOrigins } from '../../../gateway/config/config.js'
import { flagOf, variableOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { type Env, load, refusal, sources } from './load.js'
import { companion, RANKS } from './ranks.js'

t.test('a flag outranks a variable, a variable the file, and the file the default', async (t) => {
  t.strictSame(Object.keys(RANKS), [...SETTING_KEYS], 'every setting is here')
  for (const key of SETTING_KEYS) {
    const [fallback, file, env, flag] = RANKS[key]
    const text = `${key}: ${file[0]}`
    const around = companion(key)
    const variable = { ...around, [variableOf(key)]: env[0] }
    const look = (flags: FlagValues, given: Env, content?: string) => {
      const { config, origins } = loadConfigWithOrigins(sources(flags, given, content))
      return [config[key], `${origins[key].source} ${origins[key].name}`]
    }
    t.strictSame(look({}, {}), [fallback, 'default default'], `${key}: default`)
    t.strictSame(look({}, around, text), [file[1], 'file pipegate.yaml'], `${key}: file`)
    t.strictSame(look({}, variable, text), [env[1], `env ${variableOf(key)}`], `${key}: env over file`)
    t.strictSame(look({ [key]: flag[0] }, variable, text), [flag[1], `flag ${flagOf(key)}`], `${key}: flag over all`)
    t.strictSame(look({ [key]: flag[0] }, around, text), [flag[1], `flag ${flagOf(key)}`], `${key}: flag over file`)
  }
})

t.test('names of flags and variables', async (t) => {
  t.equal(flagOf('logLevel'), '--log-level')
  t.equal(variableOf('logLevel'), 'PIPEGATE_LOG_LEVEL')
  t.equal(variableOf('stallMax'), 'PIPEGATE_STALL_MAX')
})

t.test('the configuration cannot be changed afterwards', async (t) => {
  const { config, origins } = loadConfigWithOrigins({ flags: {}, env: {} })
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(origins))
})

t.test('an empty variable, and a key without a value, count as unset', async (t) => {
  const env = Object.fromEntries([...SETTING_KEYS, 'config'].map((key) => [variableOf(key), '']))
  t.strictSame(load({}, env), load())
  t.strictSame(load({}, {}, SETTING_KEYS.map((key) => `${key}:`).join('\n')), load())
  t.equal(load({}, { PIPEGATE_PORT: '' }, 'port: 81').port, 81)
  t.equal(load({}, { PIPEGATE_PORT: undefined }).port, 8080)
})

t.test('a bad value is reported even where a higher source overrides it', async (t) => {
  t.match(refusal({ port: '1' }, { PIPEGATE_PORT: 'x' }, 'port: y').problems, [
    { where: 'PIPEGATE_PORT' },
    { where: 'pipegate.yaml' },
  ])
})

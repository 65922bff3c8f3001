/** The index of transfer ids against a search through all pipes. */
import t from 'tap'
import type { PipeView } from '../../../core/index.js'
import { TransferIds } from '../../../gateway/router/transfer-ids.js'
import { Random } from '../../model/random.js'

interface Fake {
  readonly id: number
  readonly key: string
  transferId: string
}

const PROJECTS = ['', 'one', 'two']
const IDS = ['a', 'b', 'c', 'd']

t.test('an id is in use from its sender on until that leaves or the pipe ends', async (t) => {
  const random = new Random(20_261_128)
  const ids = new TransferIds()
  const pipes: Fake[] = []
  const view = (pipe: Fake) => pipe as unknown as PipeView
  const projectOf = ({ key }: Fake) => key.split(' ').slice(0, -1).join('')
  const isInUse = (id: string, project: string) =>
    pipes.some((pipe) => pipe.transferId === id && projectOf(pipe) === project)
  for (let step = 0; step < 20_000; step++) {
    const pipe = random.pick(pipes)
    if (pipe === undefined || random.chance(20)) {
      const project = random.pick(PROJECTS)!
      pipes.push({ id: step, key: project === '' ? 'name' : `${project} name`, transferId: '' })
    } else if (pipe.transferId === '') {
      const id = random.pick(IDS)!
      if (isInUse(id, projectOf(pipe))) continue
      pipe.transferId = id
      ids.onJoined(view(pipe), 'sender')
      ids.onJoined(view(pipe), 'receiver')
    } else if (random.chance(50)) {
      // As the core does: the pipe has no sender any more when that is told.
      pipe.transferId = ''
      ids.onLeft(view(pipe), 'sender')
    } else {
      ids.onLeft(view(pipe), 'receiver')
    }
    if (random.chance(10) && pipe !== undefined) {
      pipes.splice(pipes.indexOf(pipe), 1)
      ids.onEnded(view(pipe))
    }
    for (const id of IDS) {
      for (const project of PROJECTS) {
        if (ids.isInUse(id, project) !== isInUse(id, project)) t.fail(`step ${step}: ${id} in "${project}"`)
      }
    }
  }
  t.pass()
})

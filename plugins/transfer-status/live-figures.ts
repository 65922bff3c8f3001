import type { LiveFigures, MaybeLive, TopicFigures } from './snapshot.js'

/** What is told of a live stream or a topic besides, taken from whatever tells it; nothing of what is neither. */
export function liveFiguresOf(told: MaybeLive): LiveFigures | TopicFigures | Record<never, never> {
  const { live, topic, viewers = 0, peak = 0, skips = 0, cuts = 0 } = told
  if (live !== undefined) return { live, viewers, peak, skips, cuts }
  if (topic === undefined) return {}
  const { subscribers = 0, publishers = 0, waitingMessages = 0, messages = 0 } = told
  return { topic, subscribers, peak, publishers, waitingMessages, messages, cuts }
}

/** Clients that only look: browsers that fetch before anybody has clicked, and robots that draw a preview of a link. */
import type { RequestView } from './request-view.js'

type Headers = Pick<RequestView, 'header'>

/**
 * Robots that open a link which somebody has put into a chat, a mail or a post, by the names in their `User-Agent`. Several of them
 * otherwise ask as a browser or a program would, so that only names that are known count: a worker may well call itself a bot.
 */
const PREVIEWS = new RegExp(
  [
    // Teams and Skype are the third; Signal and others call themselves WhatsApp; LINE and iMessage are Facebook's.
    ...['facebookexternalhit', 'facebookcatalog', 'skypeuripreview', 'whatsapp', 'meta-external', 'facebot'],
    ...[
      'twitterbot',
      'slackbot',
      'slack-imgproxy',
      'discordbot',
      'telegrambot',
      'linkedinbot',
      'redditbot',
      'pinterest',
    ],
    ...[
      'mastodon',
      'pleroma',
      'misskey',
      'lemmy',
      'bluesky',
      'cardyb',
      'synapse',
      'zulipurlpreview',
      'nextcloud',
      'mattermost',
    ],
    ...['embedly', 'iframely', 'tumblr', 'flipboard', 'vkshare', 'viber', 'snapchat', 'kakaotalk-scrap', 'line-poker'],
    ...[
      'google-pagerenderer',
      'developers\\.google\\.com/\\+/web/snippet',
      'googlebot',
      'google-inspectiontool',
      'googleother',
    ],
    ...[
      'applebot',
      'bingbot',
      'bingpreview',
      'yandexbot',
      'baiduspider',
      'duckduckbot',
      'slurp',
      'crawler',
      'link ?preview',
    ],
  ].join('|'),
  'i',
)

/** The class library of Java asks for HTML first, whatever it is used for. */
const PROGRAMS = /^java\//i

/** Headers by which browsers say why they ask. */
const PURPOSE = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** The header that says that nobody has asked for it yet: a browser fetches or renders it beforehand, or draws a small picture of it. */
export function lookAhead(request: Headers): string | undefined {
  for (const name of PURPOSE) {
    const value = request.header(name)
    if (value !== '' && /prefetch|prerender|preview|instant/i.test(value)) return `${name}: ${value}`
  }
  return undefined
}

/** Whether it draws a preview of a link. */
export function isPreview(request: Headers): boolean {
  return PREVIEWS.test(request.header('user-agent'))
}

/** Whether it is a browser that goes to the address, to show what it finds there, and not in a frame. */
export function isBrowsing(request: Headers): boolean {
  const mode = request.header('sec-fetch-mode')
  if (mode !== '') return mode === 'navigate' && /^(document)?$/.test(request.header('sec-fetch-dest'))
  return request.header('accept').includes('text/html') && !PROGRAMS.test(request.header('user-agent'))
}

/** Programs for a terminal that say who they are. */
const COMMAND_LINE = /^(curl|wget2?|httpie|xh|aria2|fetch libfetch|lwp-request|http_?get)\b/i

/** Whether it calls itself a program for a terminal, and does not ask as a browser would: a page is nothing for it. */
export function isForTerminal(request: Headers): boolean {
  return COMMAND_LINE.test(request.header('user-agent')) && !isBrowsing(request)
}

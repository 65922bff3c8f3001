/** `type/subtype` with well-formed parameters: RFC 9110 section 8.3.1. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
// White space before a semicolon belongs to that semicolon alone: if it could match in two ways, n times "; " would
// cost 2^n steps.
const PARAMETER = `[ \\t]*;(?:[ \\t]*${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\,]|\\\\[^,])*"))?`
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})((?:${PARAMETER})*)[ \\t]*$`)

/** Types that a browser would run, or that can contain one that it would: HTML standard, MIME sniffing section 4.6. */
const ACTIVE = new RegExp(
  `^(text/html|image/svg|(text|application)/(xml|xsl|xml-external-parsed-entity|xml-dtd|${'(x-)?(java|ecma)script(1\\.[0-5])?|jscript|livescript|vbscript'})|multipart/(x-mixed-replace|related)|message/rfc822|application/(x-)?xhtml|.*\\+xml)$`,
)

const SAFE_CHARSET =
  /;[ \t]*charset="?(utf-8|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-8]|shift_jis|euc-(?:jp|kr)|gb18030|gbk|big5|koi8-[ru])"?[ \t]*(?:;|$)/i

/** The type that receivers are given: never one that a browser would run in this gateway's origin. */
export function safeMediaType(type: string | undefined): string | undefined {
  if (type === undefined) return undefined
  const [, essence = '', parameters = ''] = MEDIA_TYPE.exec(type) ?? []
  // Browsers differ in how they read a value that is no media type, a list of two for example.
  if (essence === '') return 'application/octet-stream'
  if (!ACTIVE.test(essence.toLowerCase())) return type
  const charset = SAFE_CHARSET.exec(parameters)?.[1]
  return charset === undefined ? 'text/plain' : `text/plain; charset=${charset.toLowerCase()}`
}

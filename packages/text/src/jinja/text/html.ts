import { fail } from '../failure.js'
import { type Runtime, charge, chargeText } from '../runtime.js'
import { splitWords } from './split.js'

const SPECIAL = /[&<>'"]/
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' }

/** Escapes the special characters of HTML, like markupsafe. */
export function escapeHtml(rt: Runtime, text: string): string {
  charge(rt, text)
  if (!SPECIAL.test(text)) return text
  rt.spend(16 * text.length)
  rt.hold(16 * text.length)
  return text.replace(/[&<>'"]/g, (character) => ESCAPES[character]!)
}

/** Entities that HTML accepts without a semicolon; the names of U+00A0 to U+00FF in order. */
const LATIN =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN.split(' ').map((name, at) => [name, String.fromCharCode(0xa0 + at)] as const),
  ...(['amp', 'AMP'] as const).map((name) => [name, '&'] as const),
  ...(['lt', 'LT'] as const).map((name) => [name, '<'] as const),
  ...(['gt', 'GT'] as const).map((name) => [name, '>'] as const),
  ...(['quot', 'QUOT'] as const).map((name) => [name, '"'] as const),
  ['COPY', '\u00a9'],
  ['REG', '\u00ae'],
])

/** Windows-1252 characters, to which HTML maps the references 0x80 to 0x9f. */
const WINDOWS = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

function numbered(code: number): string {
  if (code === 0) return '\ufffd'
  if (code === 0x0d) return '\r'
  if (code >= 0x80 && code <= 0x9f) return WINDOWS[code - 0x80]!
  if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  const isControl = code < 0x20 ? code < 9 || code === 0xb || code > 0xd : code === 0x7f
  const isUnassigned = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
  return isControl || code === 0xb || isUnassigned ? '' : String.fromCodePoint(code)
}

function named(name: string, whole: string): string {
  const isClosed = name.endsWith(';')
  const bare = isClosed ? name.slice(0, -1) : name
  const found = ENTITIES.get(bare)
  if (found !== undefined) return found
  if (isClosed && /^[A-Za-z][A-Za-z0-9]*$/.test(bare))
    fail('NotSupported', `the HTML entity ${whole} is not supported; write the character itself`)
  for (let length = bare.length - 1; length > 1; length--) {
    const prefix = ENTITIES.get(bare.slice(0, length))
    if (prefix !== undefined) return prefix + name.slice(length)
  }
  return whole
}

const REFERENCE = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g

/** Replaces HTML character references: Python's `html.unescape`. */
export function unescapeHtml(rt: Runtime, text: string): string {
  rt.spend(30 * text.length)
  rt.hold(8 * text.length)
  return text.replace(REFERENCE, (whole, name: string) => {
    if (name[0] !== '#') return named(name, whole)
    const digits = name.replace(/;$/, '')
    return numbered(/^#x/i.test(digits) ? parseInt(digits.slice(2), 16) : parseInt(digits.slice(1), 10))
  })
}

/** Removes tags and comments, collapses whitespace, and replaces character references. */
export function stripTags(rt: Runtime, text: string): string {
  charge(rt, text)
  const parts: string[] = []
  let at = 0
  for (let start = text.indexOf('<'); start >= 0; start = text.indexOf('<', at)) {
    const isComment = text.startsWith('<!--', start)
    const end = isComment ? text.indexOf('-->', start + 4) : text.indexOf('>', start)
    if (end < 0) break
    parts.push(text.slice(at, start))
    at = end + (isComment ? 3 : 1)
    rt.spend(20)
    rt.hold(64)
  }
  parts.push(text.slice(at))
  chargeText(rt, text.length)
  return unescapeHtml(rt, splitWords(rt, parts.join(''), -1).join(' '))
}

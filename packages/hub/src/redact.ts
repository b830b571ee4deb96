/** Minimum length of a fragment that is removed: a message that was truncated within a secret ends with a part of it. */
const FRAGMENT = 12
/** Minimum length of a secret: shorter ones would match in every text. */
const MINIMUM_SECRET = 4
const STRUCK = '…'

/** Maximum number of nested escapes that are decoded (`%2568` is a percent-encoded, percent-encoded `h`). */
const ESCAPED_AT_MOST = 3

/** A text with its escapes decoded, and the original position of each character. */
interface Decoded {
  readonly text: string
  /** Start of each character in the original text, then the end of the last one. */
  readonly starts: readonly number[]
}

const ESCAPE = /%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]{1,4});|&#(\d{1,5});|\\([^ux])/gi

/** Decodes percent, JSON and HTML escapes of single characters. */
function decode({ text, starts }: Decoded): Decoded | undefined {
  let [plain, from] = ['', 0]
  const places: number[] = []
  const copy = (until: number): void => {
    for (let at = from; at < until; at++) places.push(starts[at]!)
    plain += text.slice(from, until)
  }
  for (const found of text.matchAll(ESCAPE)) {
    const [whole, percent, unicode, byte, hexadecimal, decimal, literal] = found
    const code = percent ?? unicode ?? byte ?? hexadecimal
    copy(found.index)
    places.push(starts[found.index]!)
    plain += literal ?? String.fromCharCode(decimal === undefined ? parseInt(code!, 16) : Number(decimal))
    from = found.index + whole.length
  }
  if (from === 0) return undefined
  copy(text.length)
  return { text: plain, starts: [...places, starts.at(-1)!] }
}

/** Lower case of ASCII alone, so that no character changes its length. */
const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** The characters of a base64 encoding that depend on a secret alone, `lead` bytes behind the start of a group of three. */
function base64Of(secret: string, lead: number): string {
  const bytes = Buffer.from(secret)
  const text = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64')
  return text.slice(Math.ceil((lead * 8) / 6), Math.floor(((lead + bytes.length) * 8) / 6))
}

/** Search patterns by length: fragments of the secret as it is, in base64 and base64url at each alignment, and in hexadecimal. */
function piecesOf(secrets: readonly string[]): ReadonlyMap<number, ReadonlySet<string>> {
  const pieces = new Map<number, Set<string>>()
  const add = (text: string, most: number): void => {
    const length = Math.min(text.length, most)
    const known = pieces.get(length) ?? new Set<string>()
    for (let at = 0; at + length <= text.length; at++) known.add(folded(text.slice(at, at + length)))
    pieces.set(length, known)
  }
  for (const secret of secrets) {
    if (secret.length < MINIMUM_SECRET) continue
    add(secret, FRAGMENT)
    const encoded = [0, 1, 2].map((lead) => base64Of(secret, lead)).filter(({ length }) => length >= 8)
    for (const text of encoded) {
      add(text, FRAGMENT)
      add(text.replaceAll('+', '-').replaceAll('/', '_'), FRAGMENT)
    }
    add(Buffer.from(secret).toString('hex'), 2 * FRAGMENT)
  }
  return pieces
}

/** Removes fragments of secrets, also escaped ones. */
function withoutPieces(text: string, pieces: ReadonlyMap<number, ReadonlySet<string>>): string {
  const struck = new Uint8Array(text.length)
  let level: Decoded | undefined = { text, starts: Array.from({ length: text.length + 1 }, (_, at) => at) }
  for (let pass = 0; level !== undefined && pass <= ESCAPED_AT_MOST; pass++, level = decode(level)) {
    const plain = folded(level.text)
    for (const [length, known] of pieces)
      for (let at = 0; at + length <= plain.length; at++)
        if (known.has(plain.slice(at, at + length))) struck.fill(1, level.starts[at], level.starts[at + length])
  }
  let result = ''
  for (let at = 0; at < text.length;) {
    const until = struck[at] === 1 ? struck.indexOf(0, at) : struck.indexOf(1, at)
    const end = until < 0 ? text.length : until
    result += struck[at] === 1 ? STRUCK : text.slice(at, end)
    at = end
  }
  return result
}

/** Secrets with a known form: tokens of the Hub, credentials in headers and URLs, signatures of URLs. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/\b(hf_(?:oauth_|jwt_)|api_org_)[A-Za-z0-9]{16,}[\w.-]*/g, `$1${STRUCK}`],
  [/\b(hf_)[A-Za-z0-9]{30,}/g, `$1${STRUCK}`], // longer than what names of models have in one word
  [/(authorization["']?\s{0,8}[:=]\s{0,8}["']?(?:(?:basic|bearer|token|digest)\s{1,8})?)[^\s"',;]+/gi, `$1${STRUCK}`],
  [/\b(bearer\s{1,8})[\w.~+/-]{8,}=*/gi, `$1${STRUCK}`],
  [/(https?:\/\/)[^\s/@:]{1,256}:[^\s/@]{1,256}@/gi, `$1${STRUCK}@`],
  [
    /\b((?:x-amz-|x-goog-)?(?:signature|credential|security-token)|policy|key-pair-id|sig|access[_-]?token|awsaccesskeyid|x-xet-access-token)(=|%3d)[^\s&"'<>]+/gi,
    `$1$2${STRUCK}`,
  ],
]

/**
 * Removes secrets from a text. Each given secret is replaced by `…`: as it is, escaped (percent, JSON, HTML), in base64, base64url and
 * hexadecimal, in upper and lower case, and in fragments of 12 characters or more. So are credentials of a known form, such as
 * `hf_…`, `Authorization: Bearer …` and `X-Amz-Signature=…`.
 * @param secrets secrets of at least 4 characters; shorter ones are ignored
 *
 * @example
 * redact('the token my-secret-token may not write', ['my-secret-token']) // 'the token … may not write'
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const pieces = piecesOf(secrets)
  const own = pieces.size === 0 ? text : withoutPieces(text, pieces)
  return FORMS.reduce((rest, [form, kept]) => rest.replace(form, kept), own)
}

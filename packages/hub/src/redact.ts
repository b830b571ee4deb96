/** Minimum length of a removed fragment: a message truncated within a secret ends with a part of it. */
const FRAGMENT = 12
/** Minimum length of a secret; shorter ones would match in every text. */
const MINIMUM_SECRET = 4
const REDACTED = '…'

/** Maximum number of nested escapes that are decoded (`%2568` is a percent-encoded, percent-encoded `h`). */
const MAXIMUM_ESCAPES = 3

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
  const positions: number[] = []
  const copy = (until: number): void => {
    for (let at = from; at < until; at++) positions.push(starts[at]!)
    plain += text.slice(from, until)
  }
  for (const found of text.matchAll(ESCAPE)) {
    const [whole, percent, unicode, byte, hexadecimal, decimal, literal] = found
    const code = percent ?? unicode ?? byte ?? hexadecimal
    copy(found.index)
    positions.push(starts[found.index]!)
    plain += literal ?? String.fromCharCode(decimal === undefined ? parseInt(code!, 16) : Number(decimal))
    from = found.index + whole.length
  }
  if (from === 0) return undefined
  copy(text.length)
  return { text: plain, starts: [...positions, starts.at(-1)!] }
}

/** Lower case of ASCII only, so that no character changes its length. */
const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Characters of a base64 encoding that depend only on a secret at an offset of `lead` bytes in a group of three. */
function base64Of(secret: string, lead: number): string {
  const bytes = Buffer.from(secret)
  const text = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64')
  return text.slice(Math.ceil((lead * 8) / 6), Math.floor(((lead + bytes.length) * 8) / 6))
}

/**
 * Search patterns by length: fragments of the secret in plain text, in base64 and base64url at each alignment, and in
 * hexadecimal.
 */
function searchPatterns(secrets: readonly string[]): ReadonlyMap<number, ReadonlySet<string>> {
  const patterns = new Map<number, Set<string>>()
  const add = (text: string, maximum: number): void => {
    const length = Math.min(text.length, maximum)
    const known = patterns.get(length) ?? new Set<string>()
    for (let at = 0; at + length <= text.length; at++) known.add(folded(text.slice(at, at + length)))
    patterns.set(length, known)
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
  return patterns
}

/** Removes fragments of secrets, including escaped ones. */
function removePatterns(text: string, patterns: ReadonlyMap<number, ReadonlySet<string>>): string {
  const redacted = new Uint8Array(text.length)
  let level: Decoded | undefined = { text, starts: Array.from({ length: text.length + 1 }, (_, at) => at) }
  for (let pass = 0; level !== undefined && pass <= MAXIMUM_ESCAPES; pass++, level = decode(level)) {
    const plain = folded(level.text)
    for (const [length, known] of patterns)
      for (let at = 0; at + length <= plain.length; at++)
        if (known.has(plain.slice(at, at + length))) redacted.fill(1, level.starts[at], level.starts[at + length])
  }
  let result = ''
  for (let at = 0; at < text.length;) {
    const until = redacted[at] === 1 ? redacted.indexOf(0, at) : redacted.indexOf(1, at)
    const end = until < 0 ? text.length : until
    result += redacted[at] === 1 ? REDACTED : text.slice(at, end)
    at = end
  }
  return result
}

/** Secrets with a known form: tokens of the Hub, credentials in headers and URLs, signatures of URLs. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/\b(hf_(?:oauth_|jwt_)|api_org_)[A-Za-z0-9]{16,}[\w.-]*/g, `$1${REDACTED}`],
  [/\b(hf_)[A-Za-z0-9]{30,}/g, `$1${REDACTED}`], // longer than any word of a model name
  [/(authorization["']?\s{0,8}[:=]\s{0,8}["']?(?:(?:basic|bearer|token|digest)\s{1,8})?)[^\s"',;]+/gi, `$1${REDACTED}`],
  [/\b(bearer\s{1,8})[\w.~+/-]{8,}=*/gi, `$1${REDACTED}`],
  [/(https?:\/\/)[^\s/@:]{1,256}:[^\s/@]{1,256}@/gi, `$1${REDACTED}@`],
  [
    /\b((?:x-amz-|x-goog-)?(?:signature|credential|security-token)|policy|key-pair-id|sig|access[_-]?token|awsaccesskeyid|x-xet-access-token)(=|%3d)[^\s&"'<>]+/gi,
    `$1$2${REDACTED}`,
  ],
]

/**
 * Removes secrets from a text. Each secret is replaced by `…`: in plain text, escaped (percent, JSON, HTML), in
 * base64, base64url and hexadecimal, in upper and lower case, and in fragments of at least 12 characters. Credentials
 * of known forms are also removed, such as `hf_…`, `Authorization: Bearer …` and `X-Amz-Signature=…`.
 * @param secrets secrets of at least 4 characters; shorter ones are ignored
 *
 * @example
 * ```ts
 * import { redact } from '@attune/hub'
 * console.log(redact('the token my-secret-token may not write', ['my-secret-token'])) // the token … may not write
 * ```
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const patterns = searchPatterns(secrets)
  const own = patterns.size === 0 ? text : removePatterns(text, patterns)
  return FORMS.reduce((rest, [form, kept]) => rest.replace(form, kept), own)
}

import { describe, expect, it } from '@jest/globals'
import { AttuneError } from '@attune/core'
import { redact } from './redact.js'
import { mapErrorTexts } from './redact-error.js'

const SECRET = 'hf_QwErTyUiOpAsDfGhJkLzXcVbNm12345678'
const ODD = 'a/b+c"d\\e%f&g=h?i-j_k'
const each = (text: string, encode: (character: string) => string): string => [...text].map(encode).join('')
const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0')

describe('redact', () => {
  const forms = (secret: string): readonly [string, string][] => [
    ['as it is', secret],
    ['in upper case', secret.toUpperCase()],
    ['percent-encoded', encodeURIComponent(secret)],
    ['percent-encoded in full', each(secret, (character) => `%${hex(character)}`)],
    ['percent-encoded twice', encodeURIComponent(each(secret, (character) => `%${hex(character)}`))],
    ['as JSON', JSON.stringify(secret).slice(1, -1)],
    ['as JSON in full', each(secret, (character) => `\\u00${hex(character)}`)],
    ['as HTML', each(secret, (character) => `&#${character.charCodeAt(0)};`)],
    ['as hexadecimal HTML', each(secret, (character) => `&#x${hex(character)};`)],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
    ['in upper hexadecimal', Buffer.from(secret).toString('hex').toUpperCase()],
    ...['', 'u', 'us', 'user:'].flatMap((before): [string, string][] => [
      [`in base64 behind ${before}`, Buffer.from(`${before}${secret}`).toString('base64')],
      [`in base64url behind ${before}`, Buffer.from(`${before}${secret}, more`).toString('base64url')],
    ]),
  ]
  it.each([SECRET, ODD].flatMap((secret) => forms(secret).map(([form, text]) => [form, secret, text] as const)))(
    'removes a secret %s: %j',
    (_, secret, text) => {
      const left = redact(`the token <${text}> may not`, [secret])
      expect(left).toMatch(/^the token <.*> may not$/)
      // In base64, up to four characters at each end contain bits of the adjacent text.
      expect(left.slice('the token <'.length, -'> may not'.length).replaceAll('…', '').length).toBeLessThanOrEqual(16)
      expect(left).toContain('…')
    },
  )

  it('removes a truncated secret down to twelve characters', () => {
    for (let length = 12; length < SECRET.length; length++) {
      expect(redact(`x ${SECRET.slice(0, length)}`, [SECRET])).toBe('x …')
      expect(redact(`${SECRET.slice(-length)} x`, [SECRET])).toBe('… x')
    }
  })

  it('returns other texts unchanged', () => {
    const texts = [
      'https://huggingface.co/api/models/org/toy/tree/0123456789abcdef0123456789abcdef01234567 answered 404',
      'org/hf_mistral7binstruct has no file config.json (100%25 sure) \\u00e9 &amp; &#233;',
      '/home/me/.cache/huggingface/hub/models--org--toy',
      'the bearer of bad news, and a policy of none; signature missing',
    ]
    for (const text of texts) expect(redact(text, [SECRET, ODD])).toBe(text)
  })

  it('ignores secrets of fewer than four characters', () => {
    expect(redact('abc', ['b'])).toBe('abc')
    expect(redact('the word is open', ['open'])).toBe('the word is …')
  })

  it('removes credentials of known forms', () => {
    const other = `hf_${'z9Y'.repeat(12)}`
    const texts: readonly [string, string][] = [
      [`token ${other}.`, 'token hf_….'],
      [`token hf_jwt_${'a1'.repeat(9)}.b-c_d`, 'token hf_jwt_…'],
      [`api_org_${'a1'.repeat(17)} x`, 'api_org_… x'],
      ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer …'],
      ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"Basic …"}'],
      ['sent bearer 0123456789abcdef=', 'sent bearer …'],
      ['https://user:password@host/x', 'https://…@host/x'],
      ['/x?X-Amz-Signature=ab12&X-Amz-Expires=60', '/x?X-Amz-Signature=…&X-Amz-Expires=60'],
      ['/x?X-Amz-Credential%3DAKIA%2F2026', '/x?X-Amz-Credential%3D…'],
      ['/x?Policy=ey_&Signature=a~b&Key-Pair-Id=K1', '/x?Policy=…&Signature=…&Key-Pair-Id=…'],
    ]
    for (const [text, left] of texts) expect(redact(text)).toBe(left)
  })

  it('takes linear time', () => {
    const texts = ['%25'.repeat(4e4), 'authorization:'.repeat(8e3), `bearer${' '.repeat(1e5)}`, 'http://'.repeat(2e4)]
    const began = process.cpuUsage()
    for (const text of [...texts, `authorization: ${'a'.repeat(1e5)}`]) redact(text, [SECRET])
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1e6).toBeLessThan(5)
  })
})

describe('mapErrorTexts', () => {
  it('changes the message, stack, fields and causes of an error', () => {
    const deepest = Object.assign(new Error(`parse ${SECRET}`), { data: SECRET, rawPacket: Buffer.from(SECRET) })
    const middle = new AggregateError([deepest, new Error(SECRET)], `several ${SECRET}`, { cause: SECRET })
    const error = new AttuneError('HUB_FORBIDDEN', `no ${SECRET}`, `give ${SECRET}`, { cause: middle })
    middle.cause = Object.assign(new Error('circle', { cause: error }), { response: { body: SECRET } })
    const left = mapErrorTexts(error, (text) => redact(text, [SECRET]))
    expect(left).toBe(error)
    expect([error.code, error.problem, error.remedy]).toEqual(['HUB_FORBIDDEN', 'no …', 'give …'])
    const texts = [error, middle, middle.cause as Error, ...(middle.errors as Error[])].flatMap((each) =>
      Object.getOwnPropertyNames(each).map((key) => Reflect.get(each, key) as unknown),
    )
    const strings = texts.filter((text) => typeof text === 'string')
    expect(strings.length).toBeGreaterThan(12)
    expect(strings.filter((text) => text.includes(SECRET))).toEqual([])
    expect(deepest.rawPacket).toBeUndefined()
  })

  it('changes a thrown string, and returns undefined unchanged', () => {
    expect(mapErrorTexts(`x ${SECRET}`, (text) => redact(text, [SECRET]))).toBe('x …')
    expect(mapErrorTexts(undefined, redact)).toBeUndefined()
  })
})

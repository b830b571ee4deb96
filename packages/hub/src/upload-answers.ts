import { excerpt, isRecord, parseJson } from '@attune/core'
import { HUB_LIMITS } from './limits.js'
import type { LocalFile } from './local-files.js'
import { printable } from './model-name.js'
import { badAnswer } from './refusal.js'
import type { Inspect } from './requests.js'

type Entry = Readonly<Record<string, unknown>>

/** Files in one request of `@huggingface/hub`. */
const BATCH = 100
const PREUPLOAD = /\/preupload\/[^/]+$/
const BATCH_OF_LARGE_FILES = /\/info\/lfs\/objects\/batch$/

/** The list in a field of an answer. @throws AttuneError `HUB_BAD_ANSWER` for more objects than a request can name */
function listIn(value: unknown, field: string, url: URL): readonly Entry[] {
  const list: unknown = isRecord(value) ? value[field] : undefined
  if (!Array.isArray(list) || !list.every(isRecord)) throw badAnswer(url, `no list of ${field}`)
  if (list.length > BATCH) throw badAnswer(url, `${list.length} ${field}, and at most ${BATCH} were requested`)
  return list
}

const isAddress = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)

/** The reason why content of a size cannot be sent as an answer says, if there is one. */
function faultInUpload(upload: unknown, bytes: number): string | undefined {
  if (!isRecord(upload) || !isAddress(upload['href'])) return 'a malformed URL'
  const header = upload['header']
  if (header === undefined || header === null) return undefined
  if (!isRecord(header)) return 'malformed headers'
  const size = header['chunk_size']
  if (!size) return undefined
  if (typeof size !== 'string' && typeof size !== 'number') return 'malformed headers'
  const parts = Object.keys(header).filter((key) => /^[0-9]+$/.test(key))
  const count = Math.ceil(bytes / parseInt(String(size))) // as the library reads it
  const numbers = new Set(parts.map(Number))
  if (parts.length !== count || numbers.size !== count || !parts.every((_, i) => numbers.has(i + 1)))
    return 'the wrong number of parts'
  return parts.every((part) => isAddress(header[part])) ? undefined : 'a malformed URL of a part'
}

/** The reason why content cannot be sent, if there is one. */
function faultInObject({ error, actions }: Entry, bytes: number | undefined): string | undefined {
  if (bytes === undefined) return 'a file that was not asked about'
  if (error) {
    const said = isRecord(error) ? error['message'] : error
    return `an error for a large file: ${printable(typeof said === 'string' ? said : excerpt(said))}`
  }
  const upload = isRecord(actions) ? actions['upload'] : undefined
  return upload ? faultInUpload(upload, bytes) : undefined
}

/** Checks where large files are to be sent: each once, to a URL, in parts that add up to the file. */
function checkAddresses(url: URL, value: unknown, asked: unknown): void {
  const objects = listIn(value, 'objects', url)
  if (new Set(objects.map(({ oid }) => oid)).size < objects.length) throw badAnswer(url, 'the same file twice')
  const sizes = new Map(listIn(asked, 'objects', url).map(({ oid, size }) => [oid, Number(size)]))
  for (const object of objects) {
    const fault = faultInObject(object, sizes.get(object['oid']))
    if (fault !== undefined) throw badAnswer(url, fault)
  }
}

/**
 * Makes the check of the Hub's answers to an upload, which say how and where files are to be sent. `@huggingface/hub` checks some
 * of that, but can lose its errors, which then end the process as unhandled rejections.
 */
export function checkUploadAnswers(files: readonly LocalFile[]): Inspect {
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]))
  let unanswered = Math.ceil(files.length / BATCH)
  let inline = files.reduce((sum, { bytes }) => sum + bytes, 0)
  return (url, value, body) => {
    if (BATCH_OF_LARGE_FILES.test(url.pathname)) return checkAddresses(url, value, parseJson(String(body)))
    if (!PREUPLOAD.test(url.pathname)) return
    for (const { path, uploadMode } of listIn(value, 'files', url)) {
      if (uploadMode !== 'lfs' || typeof path !== 'string') continue
      inline -= sizes.get(path) ?? 0
      sizes.delete(path)
    }
    if (--unanswered === 0 && inline > HUB_LIMITS.inlineBytes)
      throw badAnswer(url, `that ${inline} bytes must be sent inside the commit, which takes small files only`)
  }
}

import { excerpt, isRecord, parseJson } from '@attune/core'
import { HUB_LIMITS } from './limits.js'
import type { LocalFile } from './local-files.js'
import { printable } from './model-name.js'
import { invalidResponse } from './response-errors.js'
import type { Inspect } from './requests.js'

type Entry = Readonly<Record<string, unknown>>

/** Maximum number of files in one request of `@huggingface/hub`. */
const BATCH = 100
const PREUPLOAD = /\/preupload\/[^/]+$/
const BATCH_OF_LARGE_FILES = /\/info\/lfs\/objects\/batch$/

/**
 * Returns the list in a field of a response. @throws AttuneError `HUB_BAD_ANSWER` for more objects than a request can
 * contain
 */
function listIn(value: unknown, field: string, url: URL): readonly Entry[] {
  const list: unknown = isRecord(value) ? value[field] : undefined
  if (!Array.isArray(list) || !list.every(isRecord)) throw invalidResponse(url, `${field} is not a list`)
  if (list.length > BATCH) throw invalidResponse(url, `expected at most ${BATCH} ${field}, got ${list.length}`)
  return list
}

const isAddress = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)

/** Reason why content of a size cannot be sent as a response requests, if any. */
function faultInUpload(upload: unknown, bytes: number): string | undefined {
  if (!isRecord(upload) || !isAddress(upload['href'])) return 'a malformed URL'
  const header = upload['header']
  if (header === undefined || header === null) return undefined
  if (!isRecord(header)) return 'malformed headers'
  const size = header['chunk_size']
  if (!size) return undefined
  if (typeof size !== 'string' && typeof size !== 'number') return 'malformed headers'
  const parts = Object.keys(header).filter((key) => /^[0-9]+$/.test(key))
  const count = Math.ceil(bytes / parseInt(String(size))) // parsed as in the library
  const numbers = new Set(parts.map(Number))
  if (parts.length !== count || numbers.size !== count || !parts.every((_, i) => numbers.has(i + 1)))
    return 'the wrong number of parts'
  return parts.every((part) => isAddress(header[part])) ? undefined : 'a malformed URL of a part'
}

/** Reason why content cannot be sent, if any. */
function faultInObject({ error, actions }: Entry, bytes: number | undefined): string | undefined {
  if (bytes === undefined) return 'a file that was not requested'
  if (error) {
    const said = isRecord(error) ? error['message'] : error
    return `an error for a large file: ${printable(typeof said === 'string' ? said : excerpt(said))}`
  }
  const upload = isRecord(actions) ? actions['upload'] : undefined
  return upload ? faultInUpload(upload, bytes) : undefined
}

/** Validates the upload URLs of large files: each file once, with a URL, in parts that add up to its size. */
function checkAddresses(url: URL, value: unknown, asked: unknown): void {
  const objects = listIn(value, 'objects', url)
  if (new Set(objects.map(({ oid }) => oid)).size < objects.length) throw invalidResponse(url, 'the same file twice')
  const sizes = new Map(listIn(asked, 'objects', url).map(({ oid, size }) => [oid, Number(size)]))
  for (const object of objects) {
    const fault = faultInObject(object, sizes.get(object['oid']))
    if (fault !== undefined) throw invalidResponse(url, fault)
  }
}

/**
 * Creates the validation of the Hub's responses to an upload, which determine how and where files are sent.
 * `@huggingface/hub` validates some of them, but can lose its errors, which then terminate the process as unhandled
 * rejections.
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
      throw invalidResponse(url, `it requests ${inline} bytes inside the commit, which is for small files only`)
  }
}

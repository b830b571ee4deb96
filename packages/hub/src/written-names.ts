import { AttuneError } from '@attune/core'
import type { RepositoryFile } from './listing.js'
import { printable } from './model-name.js'
import { findConflict } from './path-conflicts.js'
import { invalidResponse } from './response-errors.js'

/** Maximum length of a name on most file systems, in bytes of UTF-8. */
const MAXIMUM_NAME_BYTES = 255
/** Names of Windows devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i

const badName = (path: string, name: string, why: string): AttuneError =>
  new AttuneError(
    'BAD_REPOSITORY_PATH',
    `${JSON.stringify(printable(path))} of ${name} is not a valid file name on every system: ${why}`,
    'Do not use this repository until its owner has renamed the file.',
  )

/** Reason why a name is invalid for a file or folder, if it is. */
function faultInPart(part: string, platform: string): string | undefined {
  if (Buffer.byteLength(part) > MAXIMUM_NAME_BYTES) return `a part is longer than ${MAXIMUM_NAME_BYTES} bytes`
  if (DEVICE.test(part)) return 'it contains the name of a Windows device'
  if (/[. ]$/.test(part)) return 'a part ends with a dot or a space, which Windows removes'
  return platform === 'win32' && part.includes(':') ? 'Windows reads ":" as the name of a stream' : undefined
}

/** Normalizes a path like file systems that ignore case and Unicode normalization. */
const folded = (path: string): string => path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')

/**
 * Rejects files of a model whose names are not all valid on every system: a cache may be filled on one system and
 * read on another.
 * @param name the model, for messages
 * @throws AttuneError `BAD_REPOSITORY_PATH`; `HUB_BAD_ANSWER` for one digest with two sizes
 */
export function checkFileNames(
  name: string,
  files: readonly RepositoryFile[],
  platform: string = process.platform,
): void {
  const sizes = new Map<string, number>()
  for (const { path, sha256, blobId, bytes } of files) {
    for (const part of path.split('/')) {
      const fault = faultInPart(part, platform)
      if (fault !== undefined) throw badName(path, name, fault)
    }
    const digest = sha256 ?? blobId
    if ((sizes.get(digest) ?? bytes) !== bytes) throw invalidResponse(name, `two sizes for the digest ${digest}`)
    sizes.set(digest, bytes)
  }
  const conflict = findConflict(
    files.map(({ path }) => path),
    folded,
  )
  if (conflict === undefined) return
  const [one, other] = conflict.map((path) => JSON.stringify(printable(path)))
  throw badName(conflict[0], name, `file systems that ignore case or Unicode normalization confuse ${one} and ${other}`)
}

import { existsSync, opendirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Refuse, type RequireInside, readJsonFile, readRegularFile } from './regular-file.js'

const MAXIMUM_BYTES = 1_000_000
/** Maximum number of template files, of entries in their folder, and of bytes in all of them. */
const [MOST_TEMPLATES, MOST_ENTRIES, MOST_BYTES] = [100, 1000, 4_000_000]
const DEFAULT = 'default'

/** Folder of the template files, and the error for one that may not be read. */
export interface TemplateFiles {
  readonly folder: string
  readonly requireInside: RequireInside
  refuse(path: string, why: string): never
}

/** True for a regular file that is small enough for a template. Others are ignored. */
function isTemplate(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && found.size <= MAXIMUM_BYTES
}

const ignored: Refuse = () => {
  throw new Error('not a template')
}

/** The template in a `chat_template.json`; undefined if it cannot be read. */
function fromJson(path: string): unknown {
  try {
    const content = readJsonFile(path, MAXIMUM_BYTES, ignored)
    return (content as { readonly chat_template?: unknown } | null)?.chat_template
  } catch {
    return undefined
  }
}

/** Sorted names of the templates in a folder. */
function templateNames(folder: string, refuse: Refuse): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  const names: string[] = []
  const entries = opendirSync(folder)
  try {
    let count = 0
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (++count > MOST_ENTRIES) refuse(`it has more than ${MOST_ENTRIES} entries`)
      if (entry.name.endsWith('.jinja')) names.push(entry.name)
    }
  } finally {
    entries.closeSync()
  }
  return names.length > MOST_TEMPLATES ? refuse(`it has more than ${MOST_TEMPLATES} chat templates`) : names.sort()
}

/**
 * Reads chat templates in separate files: `chat_template.jinja` and named templates in the folder `additional_chat_templates`,
 * or the older `chat_template.json`.
 * @returns the equivalent of `chat_template` in a tokenizer_config.json; undefined if there are none
 */
export function readChatTemplates({ folder, requireInside, refuse }: TemplateFiles): unknown {
  const more = join(folder, 'additional_chat_templates')
  let bytes = 0
  const read = (name: string, path: string) => {
    if (!isTemplate(path)) return []
    const refuseIt: Refuse = (why) => refuse(path, why)
    requireInside(path, refuseIt)
    const content = readRegularFile(path, MAXIMUM_BYTES, refuseIt)
    bytes += content.length
    if (bytes > MOST_BYTES) refuseIt(`the chat templates have more than ${MOST_BYTES} bytes`)
    return [{ name, template: content.toString() }]
  }
  const templates = [
    ...read(DEFAULT, join(folder, 'chat_template.jinja')),
    ...templateNames(more, (why) => refuse(more, why)).flatMap((name) =>
      read(basename(name, '.jinja'), join(more, name)),
    ),
  ]
  const older = join(folder, 'chat_template.json')
  if (templates.length === 0) {
    if (!existsSync(older)) return undefined
    requireInside(older, (why) => refuse(older, why))
    return fromJson(older)
  }
  return templates.length === 1 && templates[0]!.name === DEFAULT ? templates[0]!.template : templates
}

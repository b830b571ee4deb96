import { existsSync, opendirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Refuse, type RequireInside, readJsonFile, readRegularFile } from './regular-file.js'

const MAXIMUM_BYTES = 1_000_000
/** Templates in files of their own, entries of their folder, and bytes of all of them at most. */
const [MOST_TEMPLATES, MOST_ENTRIES, MOST_BYTES] = [100, 1000, 4_000_000]
const DEFAULT = 'default'

/** Where the files of templates may lie, and what is thrown of one that may not be read: the file, and why. */
export interface TemplateFiles {
  readonly folder: string
  readonly requireInside: RequireInside
  refuse(path: string, why: string): never
}

/** True for a regular file that is small enough for a template. Others are left alone. */
function isTemplate(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && found.size <= MAXIMUM_BYTES
}

const ignored: Refuse = () => {
  throw new Error('not a template')
}

/** The template in a `chat_template.json`; none if it cannot be read. */
function fromJson(path: string): unknown {
  try {
    const content = readJsonFile(path, MAXIMUM_BYTES, ignored)
    return (content as { readonly chat_template?: unknown } | null)?.chat_template
  } catch {
    return undefined
  }
}

/** The names of the templates in a folder, in order. */
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
 * The chat templates that stand in files of their own: `chat_template.jinja` and those of other names in the folder
 * `additional_chat_templates`, or an older `chat_template.json`.
 * @returns what a tokenizer_config.json would say under `chat_template`; undefined where there are none
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

/** Marks the end of the last message during rendering, as transformers does. */
const TAG = 'CONTINUE_FINAL_MESSAGE_TAG '

type Fields = Readonly<Record<string, unknown>>

const isBlock = (block: unknown): block is Fields & { readonly text: string } =>
  typeof block === 'object' && block !== null && typeof (block as Fields)['text'] === 'string'

/** A message with the tag appended to its content, or to the content's last text block; undefined if it has no text. */
function tagged(message: Fields): { readonly message: Fields; readonly text: string } | undefined {
  const { content } = message
  if (typeof content === 'string') return { message: { ...message, content: content + TAG }, text: content }
  if (!Array.isArray(content)) return undefined
  const at = content.findLastIndex(isBlock)
  const block: unknown = content[at]
  if (!isBlock(block)) return undefined
  return { message: { ...message, content: content.with(at, { ...block, text: block.text + TAG }) }, text: block.text }
}

/** Messages whose last one is to be continued. */
export interface Continuation<T> {
  readonly messages: readonly T[]
  /** Truncates a rendering after the last message; undefined if the rendering does not contain that message. */
  readonly truncate: (text: string) => string | undefined
}

/** Marks the end of the last message; undefined if it has no text to continue. */
export function continuation<T extends Fields>(messages: readonly T[]): Continuation<T> | undefined {
  const last = messages.at(-1)
  const found = last === undefined ? undefined : tagged(last)
  if (found === undefined) return undefined
  return {
    messages: messages.with(-1, found.message as T),
    truncate(text) {
      const at = text.lastIndexOf(TAG.trim())
      if (at < 0 || !text.includes(found.text.trim())) return undefined
      const before = text.slice(0, at)
      // A template that trims its messages also trims the tag.
      return text.startsWith(TAG, at) ? before : before.trimEnd()
    },
  }
}

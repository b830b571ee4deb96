import { TRAINING_TEMPLATES } from './training-templates.js'

/** Length of a text, and its 32-bit FNV-1a hash, in UTF-16 units. */
function keyOf(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return `${text.length}-${(hash >>> 0).toString(16).padStart(8, '0')}`
}

/**
 * Returns the training template of a public chat template, with `{% generation %}` blocks, as `get_training_chat_template` of trl; any other
 * template unchanged. Public templates of Qwen, Llama 3, Phi-3, DeepSeek, Gemma and others have no such blocks; they are recognized by their
 * exact text. A training template renders the same conversation, except that it may keep reasoning that the public one removes from earlier
 * turns, so that a turn does not change when others follow.
 */
export function trainingTemplate(template: string): string {
  const key = keyOf(template)
  return TRAINING_TEMPLATES.find(([keys]) => keys.includes(key))?.[1] ?? template
}

import { CLEANER, type Cleaner, definePlugin } from '@attune/core'
import { z } from 'zod'
import { cleaningEdits } from './cleaning-edits.js'

/**
 * Removes HTML markup from text: tags, comments and declarations, and the content of scripts and style sheets. Character references
 * (`&amp;`, `&#8217;`) become characters. Tags of block elements are replaced by `blockText`, so that words on both sides stay
 * separate.
 *
 * Markup that appears once references are decoded (`&lt;b&gt;`) is removed too, until there is none: text about HTML loses its
 * examples. Unlike in a browser, a tag that the end of the text truncates is kept: most often it is a less-than sign.
 */
export const html = definePlugin({
  kind: CLEANER,
  name: 'html',
  summary: 'Removes HTML markup and decodes character references',
  source: 'WHATWG, HTML Living Standard, section 13.2.5, Tokenization',
  options: z.strictObject({
    blockText: z
      .string()
      .regex(/^\s*$/, 'expected white space or an empty text')
      .default('\n')
      .describe('White space that replaces tags of block elements, such as `<p>` and `<br>`'),
  }),
  create: ({ blockText }): Cleaner => ({ edits: (text) => cleaningEdits(text, blockText) }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'cleaner html': typeof html
  }
}

export default html

import { CLEANER, type Cleaner, definePlugin } from '@attune/core'
import { z } from 'zod'
import { cleaningEdits } from './cleaning-edits.js'

/**
 * Removes HTML markup from text: tags, comments and declarations, and the content of scripts and style sheets. Character references
 * (`&amp;`, `&#8217;`) become characters. Tags that begin or end a block leave `blockText` in their place, so that words on both
 * sides stay apart.
 *
 * Markup that appears once references are decoded (`&lt;b&gt;`) is removed too, until there is none: text about HTML loses its
 * examples. A tag that the end of the text cuts off stays as it is, unlike in a browser: most often it is a less-than sign.
 */
export const html = definePlugin({
  kind: CLEANER,
  name: 'html',
  summary: 'Removes HTML markup and decodes character references',
  source: 'WHATWG, HTML Living Standard, section 13.2.5, Tokenization',
  options: z.strictObject({
    blockText: z
      .string()
      .regex(/^\s*$/, 'white space, or nothing, must stand here')
      .default('\n')
      .describe('Text in the place of tags of blocks, as `<p>` and `<br>`: white space'),
  }),
  create: ({ blockText }): Cleaner => ({ edits: (text) => cleaningEdits(text, blockText) }),
})
export default html

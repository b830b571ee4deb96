// @ts-check
/** Checks that every README has the same headings in the same order. */
import { isProgram, packagesIn, report } from './packages.mjs'

const HEADINGS = [
  'What is this',
  'When to use it, and when not',
  'Install',
  'Use',
  'Options',
  'State and shapes',
  'Source',
  'Related',
]

/** Removes fenced code blocks, in which a shell comment would look like a heading. @param {string} text */
const withoutFences = (text) => text.replace(/^```[\s\S]*?^```/gm, '')

/** Fenced code blocks of one language in a section. @param {string} readme @param {string} heading @param {string} language */
export function fences(readme, heading, language) {
  const [, after = ''] = `\n${readme}`.split(`\n## ${heading}\n`)
  const end = after.search(/^## /m)
  const section = end < 0 ? after : after.slice(0, end)
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code = '']) => code,
  )
}

/** Problems of one README. @param {import('./packages.mjs').Package} each @returns {string[]} */
function problemsOf({ folder, group, manifest, readme }) {
  const at = `${folder}/README.md`
  if (readme === '') return [`${at} is missing`]
  const problems = []
  const [title, blank, line = ''] = readme.split('\n')
  if (title !== `# ${manifest.name}`) problems.push(`${at} must start with "# ${manifest.name}"`)
  if (blank !== '' || !/^[A-Z0-9].*[.]$/.test(line)) problems.push(`${at}: expected one sentence after the title`)
  const wanted = HEADINGS.filter((heading) => heading !== 'Options' || group === 'plugins')
  const found = [...withoutFences(readme).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  if (found.join() !== wanted.join())
    problems.push(`${at}: expected the headings ${wanted.join(' | ')}, got ${found.join(' | ')}`)
  const language = manifest.bin === undefined ? 'ts' : 'sh'
  const count = fences(readme, 'Use', language).length
  if (language === 'ts' ? count !== 1 : count === 0)
    problems.push(`${at}: expected one \`\`\`${language} block in "## Use", got ${count}`)
  if (group === 'plugins' && !/^<!-- options -->\n[\s\S]*^<!-- \/options -->$/m.test(readme))
    problems.push(`${at} must have <!-- options --> and <!-- /options --> on separate lines`)
  return problems
}

/** @param {import('./packages.mjs').Package[]} packages */
export const readmes = (packages) => ({
  problems: packages.flatMap(problemsOf),
  summary: `${packages.length} READMEs with the same headings`,
})

if (isProgram(import.meta.url)) report(readmes(packagesIn()))

// @ts-check
/**
 * The words check: the texts of the repository use the terms of docs/design/language.md. It refuses home-made words, docstrings that
 * open with a relative pronoun, and commit subjects that are not `scope: imperative`. With paths as arguments, only files under these
 * are read: `node tools/check/words.mjs packages/nn`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProgram, report, root } from './packages.mjs'

/**
 * A home-made word, the term in its place, and where the word is the right one: `unless` matches against the line.
 * @typedef {{ word: RegExp, term: string, unless?: RegExp }} Term
 */

/** @type {readonly Term[]} */
const TERMS = [
  { word: /\bsights?\b/i, term: 'attention pattern, attention mask' },
  { word: /\bbands?\b/i, term: 'query block' },
  { word: /\bbesides\b/i, term: 'also, other than, in addition to' },
  { word: /\bborders?\b/i, term: 'host/device transfer, boundary', unless: /css|style|border(-\w+)?:|border-/i },
  { word: /\brecomputed\b/i, term: 'gradient checkpointing, computed again' },
  { word: /\bgiven up\b|\bgives? up\b/i, term: 'donated, released' },
  { word: /\blaid out once\b/i, term: 'prepacked' },
  { word: /\bstand-ins?\b/i, term: 'symbolic tensor' },
  { word: /\bwhole numbers?\b/i, term: 'integer' },
  { word: /\btruth values?\b/i, term: 'boolean' },
  { word: /\bthe contrary\b/i, term: 'the inverse, the opposite' },
  {
    word: /\bleast\b/i,
    term: 'minimum, smallest',
    unless: /at least|least[- ](squares|recently|confidence)|last but not least/i,
  },
  { word: /\bgreatest\b/i, term: 'maximum, largest', unless: /greatest common divisor/i },
  { word: /\bgives\b/i, term: 'returns, yields' },
  { word: /\btells?\b|\btold\b/i, term: 'reports, says, distinguishes' },
  { word: /\bhears?\b/i, term: 'receives' },
  { word: /\bforetells?\b|\bforecasts?\b/i, term: 'estimate' },
  { word: /\bobeys?\b|\bobeyed\b/i, term: 'apply, handle' },
  { word: /\bmoving\b/i, term: 'run state', unless: /moving[- ](average|mean)|\bmoving\.(mjs|md|jsonl)/i },
  { word: /\bhappenings?\b/i, term: 'event' },
  { word: /\bwatchers?\b/i, term: 'callback, tracker' },
  { word: /\bin the making\b/i, term: 'sequence being generated' },
  { word: /\blikeliest\b/i, term: 'most probable, argmax' },
  { word: /\bguess(es)? ahead\b/i, term: 'speculative decoding' },
  {
    word: /\b(lost|loses) (its|their) ends?\b|\bcuts?\b/i,
    term: 'truncated, tokenized, split',
    unless: /cut[- ]?off|cutoff|'cut to length'/i,
  },
  {
    word: /\bpieces?\b/i,
    term: 'subword, part',
    unless: /sentence[- ]?piece|word[- ]?piece|[.'"`]pieces?\b|pieces?[:'"`(.[]/i,
  },
  { word: /\brole tokens?\b/i, term: 'special token' },
  { word: /\blikeness(es)?\b/i, term: 'similarity' },
  { word: /\bfalse alarms?\b/i, term: 'false positives' },
  { word: /\bworked in(to)?\b/i, term: 'merged' },
  { word: /\bstays? as (it is|they are)\b/i, term: 'frozen, unchanged' },
  { word: /\bmend(s|ed|ing)?\b/i, term: 'fix, repair' },
  { word: /\bspar(e|es|ed)\b/i, term: 'exclude' },
  {
    word: /\banew\b|\bbeforehand\b|\bkin\b|\bwhereof\b|\bthereof\b|\blest\b|\bnought\b/i,
    term: 'plain modern English',
  },
  { word: /\bhostile\b/i, term: 'malformed, malicious' },
  { word: /\b(is|are|not|a|be|being) sound\b|\bsound (file|model|and|json|zip)/i, term: 'valid' },
  { word: /\bprocessors?\b/i, term: 'CPU', unless: /(post|pre|logits|template)[-_ ]?processor|Xeon\(R\) Processor/i },
  { word: /\bgraphics cards?\b/i, term: 'GPU' },
  { word: /\bdense layers?\b/i, term: 'linear layer' },
  { word: /\btwo stacks\b/i, term: 'encoder–decoder' },
  {
    word: /\blooks? (at|upon) (only|nothing|itself|what|all|every|each)\b|\bmust not look\b|\bmay look at\b/i,
    term: 'attends to',
  },
  { word: /\bshares? of\b/i, term: 'fraction of' },
  {
    word: /\bplaces?\b/i,
    term: 'position, index, slot, location',
    unless:
      /\bin[- ]place\b|decimal places?|tak(e|es|ing|en) place|(one|first) place\b|golden\.places|places: positions|called `places`/i,
  },
  { word: /\bin the place of\b/i, term: 'instead of' },
  { word: /\bHugging Face library\b/i, term: 'transformers' },
  { word: /(?<!\bthere |\bThere |\bthis |\bwhat )\bis no (?!longer|more|less)[a-z]/, term: 'is not a …' },
]

/** Texts that the rules are about or that others wrote: data, golden values, and this check. */
const EXCLUDED =
  /(^|\/)(golden|test-data)\/|^examples\/[^/]+\/data\/|^docs\/design\/|^tools\/check\/(words|words\.test|checks\.test)|^packages\/text\/src\/chat\/training-templates\.ts$|^CHANGELOG|\.(jsonl|csv|tsv)$/
const READ = /\.(ts|mjs|md|py|template|ya?ml)$/

const OPENING =
  /\/\*\*\s+(?:\*\s+)?(What|Whether|How|Where|Which)\b|\bdescribe\(\s*['"`](What|Whether|How|Where|Which)\b(?=[^\n]*\)\s*[,.)]?$)/gm

/** A mark that Git leaves where a merge failed; Prettier takes the last one for a quotation. */
const MERGE_MARK = /^(<{7} |>{7} |(> ){6}> )\S+/m

/** @param {string} path @param {string} text @returns {string[]} */
export function wordsIn(path, text) {
  const found = text
    .split('\n')
    .flatMap((line, i) =>
      TERMS.filter(({ word, unless }) => word.test(line) && !(unless?.test(line) ?? false)).map(
        ({ word, term }) => `${path}:${i + 1}: "${line.match(word)?.[0]}" → ${term}`,
      ),
    )
  if (MERGE_MARK.test(text)) found.push(`${path}: a mark of a merge conflict, ${MERGE_MARK.exec(text)?.[0].trim()}`)
  if (!/\.(ts|mjs|template)$/.test(path)) return found
  const openings = [...text.matchAll(OPENING)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    return `${path}:${line}: a docstring opens with "${match[1] ?? match[2]}"; open with a noun phrase or a third-person verb`
  })
  return [...found, ...openings]
}

const git = (/** @type {string[]} */ ...args) =>
  spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).stdout.trim()

/** The wrong ones among commit subjects. @param {readonly string[]} subjects */
export const wrongSubjects = (subjects) =>
  subjects.filter(
    (subject) =>
      !/^(Merge|Revert) /.test(subject) &&
      (subject.length > 72 || !/^[a-z][a-z0-9 ,./-]*: [a-z][a-z-]*(?<!ed|ing)( .*)?(?<!\.)$/.test(subject)),
  )

/** The commit from whose children on subjects are checked. */
const FIRST_CHECKED = '3862cddfaf2ea310d3d07ceb372d0616ba3d7706'

/** Subjects of commits after the first checked one; none where the history is not there. */
const subjects = () => git('log', '--format=%s', `${FIRST_CHECKED}..HEAD`).split('\n').filter(Boolean)

export function words(/** @type {readonly string[]} */ paths = []) {
  const files = git('ls-files', '-co', '--exclude-standard', '--', ...paths)
    .split('\n')
    .filter((file) => READ.test(file) && !EXCLUDED.test(file))
  const texts = files.flatMap((file) => {
    try {
      return wordsIn(file, readFileSync(join(root, file), 'utf8'))
    } catch {
      return [] // deleted, and not committed yet
    }
  })
  const wrong = wrongSubjects(subjects()).map(
    (subject) => `commit "${subject}" is not "scope: imperative" in 72 characters`,
  )
  return { problems: [...texts, ...wrong], summary: `${files.length} files` }
}

if (isProgram(import.meta.url)) report(words(process.argv.slice(2)))

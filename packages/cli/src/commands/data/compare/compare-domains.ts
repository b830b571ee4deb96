import { AttuneError, type Tokenizer, deriveKey, key, stream } from '@attune/core'
import { hashedWords } from '@attune/data'
import {
  type KernelTwoSampleTest,
  type ProxyADistance,
  type VocabularyShift,
  kernelTwoSampleTest,
  lowercaseWords,
  proxyADistance,
  vocabularyShift,
} from '@attune/study'
import { textFeatures } from '@attune/trainer/node'
import { searchPathsFrom } from '../../../search-paths.js'
import { type Sample, sampleTexts } from './sample-texts.js'

/** Minimum number of texts of each domain. */
const MINIMUM = 20

/** Words as a tokenizer sees them, as fractions of all words. */
export interface TokenizedWords {
  /** Words with an unknown token. */
  readonly unknown: number
  /** Words of several tokens. */
  readonly split: number
}

/** Distances of the domains in one space of features. */
export interface FeatureShift extends ProxyADistance, KernelTwoSampleTest {
  /** The folder of the model, or `words` for hashed words and pairs of words. */
  readonly features: string
  readonly tokens?: { readonly source: TokenizedWords; readonly target: TokenizedWords }
}

/** Comparison of two domains. */
export interface Comparison {
  /** Texts compared of each domain. */
  readonly compared: number
  /** Texts in the files. */
  readonly rows: { readonly source: number; readonly target: number }
  readonly vocabulary: VocabularyShift
  /** The same between two samples of the source, of the same size. */
  readonly withinSource: VocabularyShift
  readonly features: readonly FeatureShift[]
}

/** Request to compare two files. */
export interface CompareRequest {
  readonly source: string
  readonly target: string
  readonly field: string
  /** Maximum number of texts of each domain. */
  readonly rows: number
  readonly seed: number
  /** Folders of models. */
  readonly models: readonly string[]
  readonly pooling?: string | undefined
  readonly onProgress: (model: string, done: number, total: number) => void
  readonly onWarnings: (warnings: readonly string[]) => void
}

function countsOf(texts: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const words of texts) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** Tokenizes each word after a space, as in the middle of a text. */
function tokenized(counts: ReadonlyMap<string, number>, tokenizer: Tokenizer): TokenizedWords {
  let [unknown, split, all] = [0, 0, 0]
  for (const [word, count] of counts) {
    const { ids } = tokenizer.encode(` ${word}`, { addSpecialTokens: false })
    all += count
    if (ids.some((id) => id === tokenizer.special.unknown)) unknown += count
    if (ids.length > 1) split += count
  }
  return { unknown: unknown / Math.max(1, all), split: split / Math.max(1, all) }
}

/** Texts of both domains, as many of each, and as many more of the source. */
function equalSamples({ source, target, rows }: CompareRequest, a: Sample, b: Sample) {
  const compared = Math.min(rows, a.texts.length >> 1, b.texts.length)
  if (compared < MINIMUM)
    throw new AttuneError(
      'TOO_FEW_EXAMPLES',
      `expected at least ${2 * MINIMUM} texts of the source and ${MINIMUM} of the target, got ${a.rows} in ${source} and ${b.rows} in ${target}`,
      'Name larger files.',
    )
  return [a.texts.slice(0, compared), b.texts.slice(0, compared), a.texts.slice(compared, 2 * compared)] as const
}

/**
 * Compares the texts of two domains: their vocabularies, and the distances of their features. The features of words need no model.
 * @throws AttuneError `TOO_FEW_EXAMPLES`, `EMPTY_DATASET`, `BAD_ROW`, and the errors of the models
 */
export async function compareDomains(request: CompareRequest): Promise<Comparison> {
  const { source, target, field, rows, seed, models, pooling, onProgress, onWarnings } = request
  const a = await sampleTexts(source, field, 2 * rows, deriveKey(key(seed), 'source'))
  const b = await sampleTexts(target, field, rows, deriveKey(key(seed), 'target'))
  const samples = equalSamples(request, a, b)
  const words = samples.map((texts) => texts.map(lowercaseWords))
  const [ofSource, ofTarget, ofOthers] = words.map(countsOf) as [ReadonlyMap<string, number>, ReadonlyMap<string, number>, ReadonlyMap<string, number>] // prettier-ignore
  const [compared, random] = [samples[0].length, () => stream(deriveKey(key(seed), 'permutations'))]
  const shift = (features: string, s: readonly ArrayLike<number>[], t: readonly ArrayLike<number>[]): FeatureShift => ({
    features,
    ...proxyADistance(s, t),
    ...kernelTwoSampleTest(s, t, random()),
  })
  const [hashedSource, hashedTarget] = words.map((texts) => texts.map((each) => hashedWords(each)))
  const features = [shift('words', hashedSource!, hashedTarget!)]
  for (const model of models) {
    const { vectors, tokenizer, warnings } = await textFeatures(model, [...samples[0], ...samples[1]], {
      pooling,
      searchPaths: searchPathsFrom(),
      onProgress: (done) => onProgress(model, done, 2 * compared),
    })
    onWarnings(warnings)
    const tokens = { source: tokenized(ofSource, tokenizer), target: tokenized(ofTarget, tokenizer) }
    features.push({ ...shift(model, vectors.slice(0, compared), vectors.slice(compared)), tokens })
  }
  return {
    compared,
    rows: { source: a.rows, target: b.rows },
    vocabulary: vocabularyShift(ofSource, ofTarget),
    withinSource: vocabularyShift(ofSource, ofOthers),
    features,
  }
}

export type { ChatOptions, Message, RenderedChat, SpokenChat, SpokenChatOptions } from './chat-template.js'
export { assistantMask, renderChat, renderSpokenChat } from './chat-template.js'
export { templateVariables } from './template-variables.js'
export { type CollocationOptions, type TokenPair, learnCollocations } from './collocations.js'
export { countWords } from './count-words.js'
export { type WordLearner, fitOnWords } from './fit-on-words.js'
export { mergeFrequency, learningOptions, vocabularySize, tokenizerConfig } from './learning.js'
export {
  BERT_SPECIAL_TOKENS,
  BERT_TOKENS,
  addedTokens,
  bertTemplate,
  templateStep,
  vocabularyOf,
} from './tokenizer-file.js'
export { type BpeTraining, type BpeVocabulary, trainBpe } from './train-bpe.js'
export { type UnigramTraining, trainUnigram } from './train-unigram.js'
export { type WordPieceTraining, trainWordPiece } from './train-wordpiece.js'
export { modelTypeOf } from './tokenize/model-type.js'
export { readTokenizerFiles } from '#read-tokenizer-files'
export type { TokenizerFiles } from './tokenize/tokenizer-files.js'
export { type TokenizerKind, type TokenizerSource, tokenizerOf } from './tokenize/tokenizer-of.js'
export { wordsOf } from './tokenize/pipeline.js'
export { ggufTokenizer } from './tokenize/gguf-tokenizer.js'
export { type TermKind, learnTerms, termOptions, termTokenizer } from './term-tokenizer.js'
export type { Conversation } from './chat/conversation.js'
export { conversationOf } from './chat/conversation.js'
export type { ConversationSettings, ConversationTokens } from './chat/conversation-tokens.js'
export { chatTemplateOf, conversationTokens } from './chat/conversation-tokens.js'
export type { PromptedCompletions, TextOrMessages } from './chat/preference-rows.js'
export { preferenceOf, promptOf, promptedCompletion } from './chat/preference-rows.js'
export type { CompletionLimits, CompletionTokens } from './chat/completion-tokens.js'
export { completionTokens, joinCompletion, promptText } from './chat/completion-tokens.js'
export { REWARD, type Reward, type RewardedCompletion, rewardFunction } from './chat/reward.js'

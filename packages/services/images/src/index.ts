export type {
  CommitRequest,
  Image,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageListQuery,
  Images,
  ImageUse,
  ImportRequest,
  Progress,
} from './images.ts'

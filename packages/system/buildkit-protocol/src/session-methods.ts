import {
  BytesMessageSchema,
  CheckAgentRequestSchema,
  CheckAgentResponseSchema,
  CredentialsRequestSchema,
  CredentialsResponseSchema,
  GetSecretRequestSchema,
  GetSecretResponseSchema,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
} from '../generated/session_pb.ts'
import {
  InfoRequestSchema,
  InfoResponseSchema,
  ReadContentRequestSchema,
  ReadContentResponseSchema,
  WriteContentRequestSchema,
  WriteContentResponseSchema,
} from '../generated/content_pb.ts'
import { PacketSchema } from '../generated/fsutil_pb.ts'

/** Methods that a client's session may have: github.com/moby/buildkit/session. */
export const sessionMethods = {
  syncFiles: { path: '/moby.filesync.v1.FileSync/DiffCopy', input: PacketSchema, output: PacketSchema },
  /** Directories and files go by the same method, which the client tells apart by what it exports. */
  sendTree: { path: '/moby.filesync.v1.FileSend/DiffCopy', input: PacketSchema, output: PacketSchema },
  sendFile: { path: '/moby.filesync.v1.FileSend/DiffCopy', input: BytesMessageSchema, output: BytesMessageSchema },
  upload: { path: '/moby.upload.v1.Upload/Pull', input: BytesMessageSchema, output: BytesMessageSchema },
  credentials: {
    path: '/moby.filesync.v1.Auth/Credentials',
    input: CredentialsRequestSchema,
    output: CredentialsResponseSchema,
  },
  secret: {
    path: '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    input: GetSecretRequestSchema,
    output: GetSecretResponseSchema,
  },
  checkAgent: {
    path: '/moby.sshforward.v1.SSH/CheckAgent',
    input: CheckAgentRequestSchema,
    output: CheckAgentResponseSchema,
  },
  forwardAgent: {
    path: '/moby.sshforward.v1.SSH/ForwardAgent',
    input: BytesMessageSchema,
    output: BytesMessageSchema,
  },
  contentInfo: {
    path: '/containerd.services.content.v1.Content/Info',
    input: InfoRequestSchema,
    output: InfoResponseSchema,
  },
  readContent: {
    path: '/containerd.services.content.v1.Content/Read',
    input: ReadContentRequestSchema,
    output: ReadContentResponseSchema,
  },
  writeContent: {
    path: '/containerd.services.content.v1.Content/Write',
    input: WriteContentRequestSchema,
    output: WriteContentResponseSchema,
  },
  health: { path: '/grpc.health.v1.Health/Check', input: HealthCheckRequestSchema, output: HealthCheckResponseSchema },
} as const

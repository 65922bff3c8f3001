/** The elements of EBML (RFC 8794) and Matroska (RFC 9559) that matter to who only passes a stream on. */

// Level 0
export const EBML = 0x1a45dfa3
export const SEGMENT = 0x18538067

// In the EBML header
export const EBML_READ_VERSION = 0x42f7
export const EBML_MAX_ID_LENGTH = 0x42f2
export const EBML_MAX_SIZE_LENGTH = 0x42f3
export const DOC_TYPE = 0x4282

// In the Segment
export const SEEK_HEAD = 0x114d9b74
export const INFO = 0x1549a966
export const TRACKS = 0x1654ae6b
export const CLUSTER = 0x1f43b675
export const CUES = 0x1c53bb6b
export const ATTACHMENTS = 0x1941a469
export const CHAPTERS = 0x1043a770
export const TAGS = 0x1254c367

// In Tracks
export const TRACK_ENTRY = 0xae
export const TRACK_NUMBER = 0xd7
export const TRACK_TYPE = 0x83

// In a Cluster
export const SIMPLE_BLOCK = 0xa3
export const BLOCK_GROUP = 0xa0
export const BLOCK = 0xa1
export const REFERENCE_BLOCK = 0xfb

// Anywhere
export const VOID = 0xec
export const CRC_32 = 0xbf

/** Whether a Cluster of unknown size ends before this element, because it stands beside Clusters or above them. */
export function endsCluster(id: number): boolean {
  switch (id) {
    case EBML:
    case SEGMENT:
    case SEEK_HEAD:
    case INFO:
    case TRACKS:
    case CLUSTER:
    case CUES:
    case ATTACHMENTS:
    case CHAPTERS:
    case TAGS:
      return true
    default:
      return false
  }
}

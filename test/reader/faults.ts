/**
 * Mistakes that somebody could make in the reader, one at a time. The comparison must notice every one of them: a comparison
 * that has never been red proves nothing.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CORPUS } from './corpus.js'
import { compile, compileDriver, drive, EAGER, link, NATIVE, SOURCES, type Ways } from './driver.js'
import { linesOf } from './events.js'
import { readConnection } from './reference.js'

export interface Fault {
  readonly name: string
  /** In gateway/native. */
  readonly in: string
  /** Text that stands there exactly once; any white space matches any other. */
  readonly replace: string
  readonly by: string
}

export const FAULTS: readonly Fault[] = [
  // Chunks of one size.
  {
    name: 'any other size is taken for the expected one',
    in: 'scatter.c',
    replace: '|| ahead.size != chunks->whole)',
    by: ')',
  },
  {
    name: 'a frame that is expected is not looked at',
    in: 'scatter.c',
    replace: 'if (!take_frame(scatter, chunks, piece->iov_base)) break;',
    by: '(void)take_frame; chunks->place = IN_DATA; chunks->size = chunks->whole;',
  },
  {
    name: 'a frame that ends too early is put back as data',
    in: 'scatter.c',
    replace: 'if (chunks_follow(&ahead, frame, end) != end ||',
    by: 'chunks_follow(&ahead, frame, end); if (',
  },
  {
    name: 'what was not expected is put back from the front',
    in: 'scatter.c',
    replace: 'for (size_t length = got;; length = (--piece)->iov_len) {',
    by: 'for (size_t length = got;; length = (--piece)->iov_len - 1) {',
  },
  {
    name: 'what was not expected is forgotten',
    in: 'scatter.c',
    replace: '*rest = got;',
    by: '*rest = 0;',
  },
  {
    name: 'a frame takes no room',
    in: 'scatter.c',
    replace: 'most -= frame; size_t length',
    by: 'size_t length',
  },
  {
    name: 'data that is together already does not count',
    in: 'reader.c',
    replace: 'reader->body_bytes += joined;',
    by: '',
  },
  {
    name: 'data that is together already is overwritten',
    in: 'reader.c',
    replace: '{joined > 0 ? octets : NULL, octets + joined};',
    by: '{NULL, octets + joined};',
  },
  // Chunks.
  {
    name: 'the octet behind a chunk is not looked at',
    in: 'chunks.c',
    replace: "if (c == '\\r') chunks->place = AT_DATA_LF; else fail(chunks, FAULT_NO_LINE_BREAK_BEHIND_CHUNK);",
    by: 'chunks->place = AT_DATA_LF;',
  },
  {
    name: 'the line feed behind a chunk is not looked at',
    in: 'chunks.c',
    replace: "if (c == '\\n') chunks->place = IN_SIZE;",
    by: 'if (c > 0) chunks->place = IN_SIZE;',
  },
  {
    name: 'a size line ends with a line feed alone',
    in: 'chunks.c',
    replace:
      "if (c == '\\r') chunks->place = AT_SIZE_LF; else if (c == ';') chunks->place = BEFORE_EXTENSION; else if (is_blank(c))",
    by: "if (c == '\\n') { chunks->octets = chunks->digits = 0; chunks->place = chunks->size > 0 ? IN_DATA : BEFORE_TRAILER; } else if (c == '\\r') chunks->place = AT_SIZE_LF; else if (c == ';') chunks->place = BEFORE_EXTENSION; else if (is_blank(c))",
  },
  {
    name: 'a size may be empty',
    in: 'chunks.c',
    replace: 'if (chunks->digits > 0) end_part',
    by: 'if (chunks->digits < 99) end_part',
  },
  {
    name: 'one digit more than may be',
    in: 'chunks.c',
    replace: 'chunks->digits == CHUNK_DIGITS_MOST',
    by: 'chunks->digits > CHUNK_DIGITS_MOST',
  },
  {
    name: 'a size that JavaScript cannot count to',
    in: 'chunks.c',
    replace: 'chunks->size > MOST_COUNTED / 16',
    by: 'chunks->size > MOST_COUNTED / 15',
  },
  {
    name: 'the digits of all sizes are counted together',
    in: 'chunks.c',
    replace: 'chunks->octets = 0; chunks->digits = 0;',
    by: 'chunks->octets = 0;',
  },
  {
    name: 'the octets of all size lines are counted together',
    in: 'chunks.c',
    replace: 'chunks->octets = 0; chunks->digits = 0;',
    by: 'chunks->digits = 0;',
  },
  {
    name: 'one octet more in a size line',
    in: 'chunks.c',
    replace: '++chunks->octets > CHUNK_LINE_MOST',
    by: 'chunks->octets++ > CHUNK_LINE_MOST',
  },
  {
    name: 'a semicolon ends a quoted value',
    in: 'chunks.c',
    replace: `if (c == '"') chunks->place = BEHIND_QUOTED;`,
    by: `if (c == '"' || c == ';') chunks->place = BEHIND_QUOTED;`,
  },
  {
    name: 'a backslash quotes nothing',
    in: 'chunks.c',
    replace: "else if (c == '\\\\') chunks->place = IN_QUOTED_PAIR;",
    by: '',
  },
  {
    name: 'a line break in a quoted value',
    in: 'chunks.c',
    replace: 'else if (!is_value_octet(c)) fail(chunks, FAULT_BAD_CHUNK_EXTENSION); }',
    by: "else if (!is_value_octet(c) && c != '\\r' && c != '\\n') fail(chunks, FAULT_BAD_CHUNK_EXTENSION); }",
  },
  {
    name: 'blanks at the end of a size line',
    in: 'chunks.c',
    replace: 'case BEFORE_SEMICOLON: if (is_blank(c)) return;',
    by: "case BEFORE_SEMICOLON: if (is_blank(c)) return; if (c == '\\r') { chunks->place = AT_SIZE_LF; return; }",
  },
  {
    name: 'trailers are not read',
    in: 'chunks.c',
    replace: "if (c == '\\r') chunks->place = AT_LAST_LF; else follow_trailer(chunks, c);",
    by: "if (c == '\\r') chunks->place = AT_LAST_LF; else fail(chunks, FAULT_BAD_TRAILER);",
  },
  {
    name: 'trailers without a limit',
    in: 'chunks.c',
    replace: '++chunks->octets > TRAILERS_MOST',
    by: '++chunks->octets > 8 * TRAILERS_MOST',
  },
  {
    name: 'a trailer need not be a field',
    in: 'chunks.c',
    replace: 'else if (!is_token_octet(c)) fail(chunks, FAULT_BAD_TRAILER);',
    by: "else if (c == '\\r') chunks->place = AT_TRAILER_LF;",
  },
  {
    name: 'a body ends without its last line feed',
    in: 'chunks.c',
    replace: "if (c == '\\n') chunks->place = CHUNKS_COMPLETE;",
    by: 'if (c > 0) chunks->place = CHUNKS_COMPLETE;',
  },
  {
    name: 'a chunk gives one octet too many',
    in: 'chunks.c',
    replace: 'size_t taken = available < chunks->size ? available : (size_t)chunks->size; chunks->size -= taken;',
    by: 'size_t taken = available <= chunks->size ? available : (size_t)chunks->size + 1; chunks->size -= taken > chunks->size ? chunks->size : taken;',
  },
  // Heads.
  {
    name: 'a line feed ends a value',
    in: 'head.c',
    replace: "if (*at == '\\r') head->place = AT_FIELD_LF;",
    by: "if (*at == '\\n') { head->place = AT_FIELD_LF; return at; } if (*at == '\\r') head->place = AT_FIELD_LF;",
  },
  {
    name: 'a value may be folded',
    in: 'head.c',
    replace: 'else if (is_blank(c)) head_refuse(head, PROBLEM_OBSOLETE_FOLDING);',
    by: 'else if (is_blank(c)) head->place = IN_FIELD_VALUE;',
  },
  {
    name: 'a space in front of a colon is dropped',
    in: 'head.c',
    replace: 'head_refuse(head, PROBLEM_SPACE_BEFORE_COLON);',
    by: 'return at + 1;',
  },
  {
    name: 'a name in capitals is another one',
    in: 'head.c',
    replace: '*out++ = (char)TOKEN_OCTETS[*at++];',
    by: '*out++ = (char)*at++;',
  },
  {
    name: 'control characters in values',
    in: 'octets.h',
    replace: "return is_printable(c) || c == '\\t';",
    by: "return (is_printable(c) || c < 0x20) && c != '\\r' && c != '\\n';",
  },
  {
    name: 'DEL in values',
    in: 'octets.h',
    replace: 'return c >= 0x20 && c != 0x7f;',
    by: 'return c >= 0x20;',
  },
  {
    name: 'white space stays behind a value',
    in: 'head.c',
    replace: 'struct span value = trimmed((struct span){head->text + head->value, head->text_length - head->value});',
    by: 'struct span value = {head->text + head->value, head->text_length - head->value};',
  },
  {
    name: 'the second length counts',
    in: 'fields.c',
    replace: 'if (head->lengths > 1) return PROBLEM_REPEATED_LENGTH;',
    by: '',
  },
  {
    name: 'a length ends where its digits end',
    in: 'fields.c',
    replace: 'head->said |= HAS_BAD_LENGTH; return; } }',
    by: 'if (i == 0) head->said |= HAS_BAD_LENGTH; return; } }',
  },
  {
    name: 'a length that JavaScript cannot count to',
    in: 'fields.c',
    replace: 'head->length <= MOST_COUNTED) continue;',
    by: 'head->length <= MOST_COUNTED + 1) continue;',
  },
  {
    name: 'a length and a coding',
    in: 'fields.c',
    replace: 'if (head->lengths > 0 && head->codings > 0) return PROBLEM_LENGTH_AND_CODING;',
    by: '',
  },
  {
    name: 'a coding in HTTP/1.0',
    in: 'fields.c',
    replace: 'if (head->codings > 0 && head->minor == 0) return PROBLEM_CODING_IN_HTTP_1_0;',
    by: '',
  },
  {
    name: 'chunked twice',
    in: 'fields.c',
    replace: 'if (!is_sound || (head->said & IS_CHUNKED) != 0)',
    by: 'if (!is_sound || ((head->said & IS_CHUNKED) != 0 && !is_chunked))',
  },
  {
    name: 'chunked with parameters',
    in: 'fields.c',
    replace: "(!is_chunked && parameters.text[0] == ';')",
    by: "parameters.text[0] == ';'",
  },
  {
    name: 'a coding nobody knows',
    in: 'fields.c',
    replace: 'if (head->said & HAS_OTHER_CODING) return PROBLEM_UNKNOWN_CODING;',
    by: '',
  },
  {
    name: 'words may go on',
    in: 'words.c',
    replace: "return word[span.length] == '\\0';",
    by: 'return true;',
  },
  {
    name: 'words in capitals are others',
    in: 'words.c',
    replace: 'lower((unsigned char)span.text[i]) != (unsigned char)word[i]',
    by: '(unsigned char)span.text[i] != (unsigned char)word[i]',
  },
  {
    name: 'two Hosts',
    in: 'fields.c',
    replace: 'if (head->hosts > 1) return PROBLEM_REPEATED_HOST;',
    by: '',
  },
  {
    name: 'no Host',
    in: 'fields.c',
    replace: 'if (head->hosts == 0 && head->minor == 1) return PROBLEM_NO_HOST;',
    by: '',
  },
  {
    name: 'a comma in a Host',
    in: 'host.c',
    replace: '"-._~!$&\'()*+;="',
    by: '"-._~!$&\'()*+,;="',
  },
  {
    name: 'two gaps in an address',
    in: 'host.c',
    replace: 'if (has_gap) return false; has_gap = true; at++;',
    by: 'has_gap = true; at++;',
  },
  {
    name: 'a gap for no group',
    in: 'host.c',
    replace: 'has_gap ? groups <= 7 : groups == 8',
    by: 'has_gap ? groups <= 8 : groups == 8',
  },
  {
    name: "a URI's authority comes with the client's Host",
    in: 'head.c',
    replace: 'if (head->has_authority && is_exactly(name, "host"))',
    by: 'if (false)',
  },
  {
    name: 'a query without a path stays one',
    in: 'request-line.c',
    replace: 'if (path.length == 0 || path.text[0] == \'?\') append(head, "/", 1);',
    by: 'if (path.length == 0) append(head, "/", 1);',
  },
  {
    name: 'later versions',
    in: 'request-line.c',
    replace: '!is_exactly(parts.version, "HTTP/1.0") && !is_exactly(parts.version, "HTTP/1.1")',
    by: '!starts_with(parts.version, "HTTP/1.")',
  },
  {
    name: 'one octet more in a request line',
    in: 'head.c',
    replace: 'head->text + REQUEST_LINE_MOST;',
    by: 'head->text + REQUEST_LINE_MOST + 1;',
  },
  {
    name: 'a field more',
    in: 'head.c',
    replace: '++head->fields > FIELDS_MOST',
    by: 'head->fields++ > FIELDS_MOST',
  },
  {
    name: 'the limit of a head counts from its last read',
    in: 'head.c',
    replace: 'head->seen += (uint32_t)(at - start);',
    by: 'head->seen = (uint32_t)(at - start);',
  },
  {
    name: 'empty lines without end',
    in: 'head.c',
    replace: '++head->empty_lines > EMPTY_LINES_MOST',
    by: 'head->empty_lines > EMPTY_LINES_MOST',
  },
  {
    name: 'close in a list is not seen',
    in: 'fields.c',
    replace: 'if (is_word(option, "close")) head->said |= CLOSES;',
    by: 'if (is_word(option, "close") && !more) head->said |= CLOSES;',
  },
  {
    name: 'HTTP/1.0 keeps its connection',
    in: 'fields.c',
    replace: '(head->minor == 1 || (head->said & KEEPS_ALIVE))',
    by: 'head->minor <= 1',
  },
  {
    name: 'HTTP/1.0 expects something',
    in: 'fields.c',
    replace: 'head->expects_continue = head->minor == 1 && (head->said & CONTINUES);',
    by: 'head->expects_continue = (head->said & CONTINUES) != 0;',
  },
  {
    name: 'a WebSocket with a body',
    in: 'fields.c',
    replace: '!has_body && (head->said & needed)',
    by: '(head->said & needed)',
  },
  // The machine.
  {
    name: 'a chunk without data when a read ends behind its size',
    in: 'reader.c',
    replace: '|| at == end) break;',
    by: ') break;',
  },
  {
    name: 'a chunk that is joined is copied to the wrong place',
    in: 'reader.c',
    replace: 'memmove(gathered->end, at, here);',
    by: 'memmove(gathered->end - 1, at, here);',
  },
  {
    name: 'what is joined is not told as data',
    in: 'reader.c',
    replace: 'reader->body_bytes += here; at += here;',
    by: 'at += here;',
  },
  {
    name: 'the end of a body is forgotten when it comes by itself',
    in: 'reader.c',
    replace: 'if (reader->chunks.place == CHUNKS_COMPLETE) { put_last_chunk(reading); end_request(reader); }',
    by: 'if (reader->chunks.place == CHUNKS_COMPLETE) { if (reading->length > 0) put_last_chunk(reading); end_request(reader); }',
  },
  {
    name: 'a broken body is not told when it breaks without data',
    in: 'reader.c',
    replace: 'put_dummy(reading);',
    by: '',
  },
  {
    name: 'a broken body goes on',
    in: 'reader.c',
    replace: 'reader->state = READER_BROKEN;',
    by: 'end_request(reader);',
  },
  {
    name: 'what is behind a body is taken for its end',
    in: 'reader.c',
    replace: 'size_t taken = available < reader->left ? available : (size_t)reader->left;',
    by: 'size_t taken = available;',
  },
  {
    name: 'the next request does not wait',
    in: 'reader.c',
    replace: 'reader->state = reader->answered ? READER_HEAD : READER_AWAIT;',
    by: 'reader->state = READER_HEAD;',
  },
  {
    name: 'an answer that comes early is forgotten',
    in: 'reader.c',
    replace: 'reader->answered = true;',
    by: ';',
  },
  {
    name: 'an answer that comes early counts twice',
    in: 'reader.c',
    replace: 'reader->state = reader->answered ? READER_HEAD : READER_AWAIT; reader->answered = false;',
    by: 'reader->state = reader->answered ? READER_HEAD : READER_AWAIT;',
  },
  {
    name: 'the chunks of the body before are read on',
    in: 'reader.c',
    replace: 'reader->chunks = (struct chunks){0};',
    by: '',
  },
  {
    name: 'a refused head is read on',
    in: 'reader.c',
    replace: 'reader->state = READER_DISCARD; reader->dropped += length;',
    by: 'reader->state = READER_AWAIT; reader->dropped += length;',
  },
  {
    name: 'a half head is not given back',
    in: 'half-heads.c',
    replace: 'give_back(size_of_half((*half)->room)); free',
    by: 'free',
  },
  {
    name: 'half heads take what they like',
    in: 'half-heads.c',
    replace: 'if (!may_use(size_of_half(room) - before)) return false;',
    by: 'half_heads += size_of_half(room) - before;',
  },
  {
    name: 'a half head does not grow',
    in: 'half-heads.c',
    replace: 'while (room < needed) room *= 2;',
    by: '',
  },
  {
    name: 'a half head loses its last octet',
    in: 'half-heads.c',
    replace: '(*half)->head.text = (*half)->text; memcpy((*half)->text, head->text, head->text_length);',
    by: '(*half)->head.text = (*half)->text; if (head->text_length > 0) memcpy((*half)->text, head->text, head->text_length - 1);',
  },
  {
    name: 'empty lines are forgotten between two reads',
    in: 'reader.c',
    replace: 'reader->empty_lines = has_begun ? 0 : head->empty_lines;',
    by: 'reader->empty_lines = 0;',
  },
  {
    name: 'half an empty line is forgotten between two reads',
    in: 'reader.c',
    replace: 'reader->head_place = has_begun ? 0 : head->place;',
    by: 'reader->head_place = 0;',
  },
  {
    name: 'uWebSockets gets the method of a refused request',
    in: 'engine-head.c',
    replace: 'if (head->problem != PROBLEM_NONE) return PUT_BEFORE(at, "GET / HTTP/1.1\\r\\nhost:h\\r\\n");',
    by: '',
  },
  {
    name: 'uWebSockets gets more of what agrees on a WebSocket than there is room for',
    in: 'engine-head.c',
    replace: '&& length + 2 <= left)',
    by: ')',
  },
  {
    name: 'padding grows without end',
    in: 'reader.c',
    replace: "memset(front, '0', gap); reading->length += gap;",
    by: "memset(front, '0', gap + 1); reading->length += gap;",
  },
]

/** The files with this fault in them, in a folder of their own. Undefined: its text is not there, or more than once. */
function plant(fault: Fault): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'pipegate-fault-'))
  const words = fault.replace.trim().split(/\s+/)
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g')
  const text = readFileSync(join(NATIVE, fault.in), 'utf8')
  if (text.match(pattern)?.length !== 1) return undefined
  // A source finds the headers that stand beside it.
  for (const file of readdirSync(NATIVE)) if (/\.[ch]$/.test(file)) copyFileSync(join(NATIVE, file), join(folder, file))
  writeFileSync(
    join(folder, fault.in),
    text.replace(pattern, () => fault.by),
  )
  return folder
}

const SHORT = CORPUS.map(([, bytes]) => bytes).filter((bytes) => bytes.length < 2000)
const LONG = CORPUS.map(([, bytes]) => bytes).filter((bytes) => bytes.length >= 2000)
/** Quickly built: it is noticed by what comes out, not by the sanitizers. */
const FLAGS = ['-std=c11', '-w', '-O0', ...EAGER]

/** Whether a half head takes more memory than there is: the driver does not live to tell. */
function isGreedy(program: string): boolean {
  try {
    drive(program, ['GET /'], 'poor', 0)
    return false
  } catch {
    return true
  }
}

/** Builds the reader once, so that for each fault only what has it in it is compiled. */
export class FaultFinder {
  readonly #driver = compileDriver(FLAGS)
  readonly #whole = new Map(SOURCES.map((file) => [file, compile(join(NATIVE, file), FLAGS)]))
  readonly #expected = new Map([...SHORT, ...LONG].map((bytes) => [bytes, linesOf(readConnection(bytes)).join('\n')]))

  /** What went unnoticed. Undefined: it was noticed. */
  find(fault: Fault): string | undefined {
    const folder = plant(fault)
    if (folder === undefined) return `${fault.name}: not exactly one place in ${fault.in}`
    const affected = fault.in.endsWith('.h') ? SOURCES : [fault.in]
    const objects = SOURCES.map((file) =>
      affected.includes(file) ? compile(join(folder, file), FLAGS) : this.#whole.get(file)!,
    )
    rmSync(folder, { recursive: true })
    const program = link([...this.#driver, ...objects], FLAGS)
    const noticed = this.#notices(program, SHORT, 'some') || this.#notices(program, LONG, 'some')
    return noticed || this.#notices(program, SHORT, 'every') || isGreedy(program) ? undefined : fault.name
  }

  #notices(program: string, cases: readonly string[], ways: Ways): boolean {
    try {
      const answers = drive(program, cases, ways)
      return cases.some((bytes, i) => answers[i]!.join('\n') !== this.#expected.get(bytes))
    } catch (error) {
      // A promise that is broken ends the program, and so do the sanitizers.
      if (error instanceof Error && 'status' in error) return true
      throw error
    }
  }
}

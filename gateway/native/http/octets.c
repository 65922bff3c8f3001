#include "octets.h"

#define SELF(c) [c] = (c)
#define LETTER(small, large) [small] = (small), [large] = (small)

const unsigned char TOKEN_OCTETS[256] = {
  SELF('!'), SELF('#'), SELF('$'), SELF('%'), SELF('&'), SELF('\''), SELF('*'), SELF('+'), SELF('-'), SELF('.'),
  SELF('^'), SELF('_'), SELF('`'), SELF('|'), SELF('~'),
  SELF('0'), SELF('1'), SELF('2'), SELF('3'), SELF('4'), SELF('5'), SELF('6'), SELF('7'), SELF('8'), SELF('9'),
  LETTER('a', 'A'), LETTER('b', 'B'), LETTER('c', 'C'), LETTER('d', 'D'), LETTER('e', 'E'), LETTER('f', 'F'),
  LETTER('g', 'G'), LETTER('h', 'H'), LETTER('i', 'I'), LETTER('j', 'J'), LETTER('k', 'K'), LETTER('l', 'L'),
  LETTER('m', 'M'), LETTER('n', 'N'), LETTER('o', 'O'), LETTER('p', 'P'), LETTER('q', 'Q'), LETTER('r', 'R'),
  LETTER('s', 'S'), LETTER('t', 'T'), LETTER('u', 'U'), LETTER('v', 'V'), LETTER('w', 'W'), LETTER('x', 'X'),
  LETTER('y', 'Y'), LETTER('z', 'Z'),
};

/**
 * Words for names that are read aloud: known to most who speak some English, hard to mistake for one another, and none that
 * anybody would mind in an address. 256 of them, so that each is eight bits.
 */
export const WORDLIST: readonly string[] = `
  acorn album amber anchor apple apron arrow aspen atlas autumn bagel bakery bamboo banana banjo barley basil
  basket beacon beaver bench berry bishop blanket blossom bonfire bottle branch bread breeze brick bridge bronze
  bucket butter button cabin cable cactus camel candle canoe canvas canyon carbon carpet carrot castle cedar cello
  cherry chess chimney cider circle citrus clover cobalt coconut comet copper coral cotton cousin cradle crater
  cricket crystal curtain cycle daisy dancer denim desert diamond dinner doctor dolphin domino donkey dragon
  drawer dream drummer eagle easel echo elbow ember engine evening fabric falcon farmer feather fender ferry
  fiddle finger flannel forest fossil frost galaxy garden garlic gecko ginger glacier globe goblet granite grape
  gravel guitar hammer harbor harvest hazel helmet heron hickory honey horizon hotel island ivory jacket jaguar
  jasmine jelly jigsaw jungle kayak kernel kettle kitchen kitten koala ladder lagoon lantern laurel lemon library
  lilac lizard lobster locket lotus magnet mango maple marble meadow melon meteor mirror mitten monkey mosaic
  museum mustard napkin nectar needle nickel noodle nutmeg ocean olive onion opera orange orbit orchard otter
  oyster paddle palace panda paper parade parrot pebble pencil pepper piano picnic pigeon pillow pilot planet
  plaza pocket pony poplar prairie puzzle pyramid quartz rabbit radio raven ribbon river robin rocket saddle
  sailor salmon sandal saturn scarf shadow shovel silver sketch soccer sparrow spider spoon squash stable stapler
  station sugar summer sunset swan tango teapot temple thimble ticket tiger timber toast tomato trumpet tulip
  tunnel turtle valley vanilla velvet village violin walnut walrus willow window winter wizard yogurt zebra
`
  .trim()
  .split(/\s+/)

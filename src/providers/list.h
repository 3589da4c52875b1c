/* The providers of this directory: written by make. */
PROVIDER(ertc)
PROVIDER(qiscus)
PROVIDER(smooch)
PROVIDER(vchatcloud)
